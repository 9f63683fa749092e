/**
 * The licences of everything that we ship and did not write, in one text. A package without a licence file fails the
 * build: what is not known to be allowed is not shipped.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundledPackage } from "./bundled-packages.ts";
import { ROOT } from "./project.ts";

/** SPDX. Permissive ones, which ask for no more than that their text comes along; a new one is read before it is added. */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
]);

/** Licence files of Node's distribution and of npm packages alike. */
const LICENCE_FILE = /^(licen[cs]e|notice|copying)([.-].*)?$/i;

/**
 * Packages that ship no licence file, and a sibling from the same source repository, under the same terms, that does.
 * Each was looked at: its package.json states the same licence, author and repository.
 */
const SIBLINGS: Readonly<Record<string, string>> = {
  "@aws-sdk/credential-provider-http": "@aws-sdk/client-sts",
  "@aws-sdk/credential-provider-login": "@aws-sdk/client-sts",
  "@aws-sdk/nested-clients": "@aws-sdk/client-sts",
};

export interface Licensed {
  /** Such as `zod 4.6.7 (MIT)`. */
  title: string;
  /** Whole text of each of its licence files. */
  texts: string[];
}

/** @throws naming the package that has no licence file, or is under terms that are not among the allowed */
export function licenceOf({ name, version, licence, place }: BundledPackage): Licensed {
  if (!ALLOWED_LICENCES.has(licence)) {
    throw new Error(
      `${place} is under ${licence}: read it, and add it to packaging/licences.ts if it will do`,
    );
  }
  const sibling = SIBLINGS[name];
  const own = licenceTexts(join(ROOT, place));
  const texts =
    own.length > 0 || sibling === undefined ? own : licenceTexts(join(ROOT, "node_modules", sibling));
  if (texts.length === 0) {
    throw new Error(
      `${place} has no licence file: find out its terms, and name a sibling in packaging/licences.ts`,
    );
  }
  return { title: `${name} ${version} (${licence})`, texts };
}

export function licenceTexts(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory)
    .filter((name) => LICENCE_FILE.test(name))
    .sort();
  return files.map(
    (name) => `${readFileSync(join(directory, name), "utf8").replaceAll("\r\n", "\n").trim()}\n`,
  );
}

/** One text of all; packages under word for word the same licence share it. */
export function thirdPartyLicences(all: readonly Licensed[]): string {
  const sharers = new Map<string, string[]>();
  for (const { title, texts } of all) {
    for (const text of texts) sharers.set(text, [...(sharers.get(text) ?? []), title]);
  }
  const rule = "=".repeat(100);
  const sections = [...sharers].map(([text, titles]) => `${rule}\n${titles.join("\n")}\n${rule}\n\n${text}`);
  return `What idc-codedeploy-helper contains that others wrote, and on what terms.\n\n${sections.join("\n")}`;
}
