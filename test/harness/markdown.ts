/** Our Markdown pages as their reader meets them: headings' anchors, links, code. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Every page of ours, by its path in the project. */
export const PAGES: readonly string[] = globSync(["*.md", "{docs,packaging,test,bench,.github}/**/*.md"], {
  cwd: ROOT,
  exclude: (name) => name === "node_modules" || name === "man",
}).sort();

export interface CodeBlock {
  language: string;
  /** Without the indent that it has in a list. */
  text: string;
  line: number;
}

export const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");

export function codeBlocks(text: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const fences = text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm);
  for (const { 1: indent = "", 2: language = "", 3: body = "", index } of fences) {
    const plain = body.replace(new RegExp(`^${indent}`, "gm"), "");
    blocks.push({ language, text: plain, line: text.slice(0, index).split("\n").length });
  }
  return blocks;
}

/** What is not in a code block. */
export function prose(text: string): string {
  return text.replace(/^( *)```\w*\n[\s\S]*?^\1```$/gm, "").replace(/<!--[\s\S]*?-->/g, "");
}

/** Code within a line. */
export function inlineCode(text: string): string[] {
  return [...prose(text).matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll("\n", " "));
}

/** Where each link and picture of a page leads, those in code left out. */
export function linkTargets(text: string): string[] {
  const plain = prose(text).replace(/`[^`]*`/g, "`code`");
  return [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** As GitHub makes them of headings: a second one of the same name gets a number. */
export function anchors(text: string): Set<string> {
  const seen = new Map<string, number>();
  const found = new Set<string>();
  for (const [, heading = ""] of prose(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    found.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return found;
}

/** @returns the path in the project that a relative link of a page means, and the anchor after it */
export function resolveLink(page: string, target: string): { path: string; anchor: string } {
  const [path = "", anchor = ""] = target.split("#");
  return {
    path: path === "" ? page : normalize(join(dirname(page), path)),
    anchor: decodeURIComponent(anchor),
  };
}
