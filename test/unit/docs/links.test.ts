/** No link of the documentation leads nowhere, and every page is found from the README. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anchors, inlineCode, linkTargets, PAGES, ROOT, read, resolveLink } from "../../harness/markdown.ts";

const isRelative = (target: string) => !/^[a-z]+:/.test(target);

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  test("links to files that there are, and to headings that are in them", () => {
    const broken = linkTargets(text)
      .filter(isRelative)
      .filter((target) => {
        const { path, anchor } = resolveLink(page, target);
        if (path.startsWith("..") || !existsSync(join(ROOT, path))) return true;
        return anchor !== "" && !(path.endsWith(".md") && anchors(read(path)).has(anchor));
      });
    expect(broken).toEqual([]);
  });

  test("links to the outside by https", () => {
    expect(linkTargets(text).filter((target) => /^http:/.test(target))).toEqual([]);
  });

  test("names files of the project that there are", () => {
    const named = inlineCode(text).filter((code) =>
      /^(?:src|test|packaging|docs|config|systemd|bench)\/[\w./-]+$/.test(code),
    );
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test("every page is reached from the README, by links alone", () => {
  const reached = new Set<string>();
  const visit = (page: string) => {
    if (reached.has(page) || !PAGES.includes(page)) return;
    reached.add(page);
    for (const target of linkTargets(read(page)).filter(isRelative)) visit(resolveLink(page, target).path);
  };
  visit("README.md");
  const own = PAGES.filter((page) => !page.startsWith("test/") && !page.startsWith("packaging/"));
  expect(own.filter((page) => !reached.has(page))).toEqual([]);
});
