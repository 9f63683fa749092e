/** Pages that are made from something, or say the same as another, are up to date with it. */
import { expect, test } from "vitest";
import { configReference, withReference } from "../../../packaging/config-reference.ts";
import { codeBlocks, PAGES, read } from "../../harness/markdown.ts";

test("docs/configuration.md is as the schema has it (node packaging/config-reference.ts writes it)", () => {
  const page = read("docs/configuration.md");
  expect(page).toBe(withReference(page));
  expect(page).toContain(configReference());
});

test("pages that the program and the journal's catalog name are in the package", () => {
  const places = [
    "src/refresher/announcer.ts",
    ...["", ".ko"].map((it) => `systemd/idc-codedeploy-helper${it}.catalog`),
  ];
  const named = places.flatMap((path) => read(path).match(/\/usr\/share\/doc\/[\w/.-]+\.md/g) ?? []);
  expect(new Set(named).size).toBeGreaterThan(1);
  const shipped = new Set(read("docs/package.md").split("\n"));
  expect(named.filter((path) => !shipped.has(path))).toEqual([]);
});

const KOREAN = PAGES.filter((page) => /^README\.ko\.md$|^docs\/ko\//.test(page));

test("there are Korean pages for the README, the quick start, moving over and troubleshooting", () => {
  expect(KOREAN).toEqual([
    "README.ko.md",
    "docs/ko/moving-over.md",
    "docs/ko/quick-start.md",
    "docs/ko/troubleshooting.md",
  ]);
});

test.each(KOREAN)("%s has the same commands as its English page, and as many sections", (page) => {
  const english = page.replace("README.ko.md", "README.md").replace("docs/ko/", "docs/");
  const blocks = (path: string) => codeBlocks(read(path)).map(({ language, text }) => ({ language, text }));
  expect(blocks(page)).toEqual(blocks(english));
  const levels = (path: string) => [...read(path).matchAll(/^(#+) /gm)].map(([, marks]) => marks);
  expect(levels(page)).toEqual(levels(english));
  expect(read(page)).toMatch(/\p{Script=Hangul}/u);
});

test.each(KOREAN)("%s and its English page lead to each other", (page) => {
  const english = page.replace("README.ko.md", "README.md").replace("docs/ko/", "docs/");
  const isDeep = page.startsWith("docs/");
  expect(read(page)).toContain(isDeep ? `](../${english.slice("docs/".length)})` : "](README.md)");
  expect(read(english)).toContain(isDeep ? `](${page.slice("docs/".length)})` : "](README.ko.md)");
});
