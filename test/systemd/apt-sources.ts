/** Where this machine gets its Debian packages from: both formats of apt's source lists (sources.list(5)). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Mirror {
  url: string;
  /** The keyring that the list names; null where it names none. */
  keyring: string | null;
}

const APT = "/etc/apt";

/** @returns the first mirror that has the suite's main component, or null */
export function findMirror(suite: string): Mirror | null {
  const directory = join(APT, "sources.list.d");
  const files = existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  const texts = [join(APT, "sources.list"), ...files.sort()]
    .filter((file) => existsSync(file))
    .map((file) => ({ file, text: readFileSync(file, "utf8") }));
  for (const { file, text } of texts) {
    const found = file.endsWith(".sources") ? inStanzas(text, suite) : inLines(text, suite);
    if (found !== null) return found;
  }
  return null;
}

function inLines(text: string, suite: string): Mirror | null {
  for (const line of text.split("\n")) {
    const [, options = "", url = "", name, components = ""] =
      /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name !== suite || !components.split(/\s+/).includes("main")) continue;
    return { url, keyring: /signed-by=(\/\S+)/.exec(options)?.[1] ?? null };
  }
  return null;
}

function inStanzas(text: string, suite: string): Mirror | null {
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (!field("Types").includes("deb") || !field("Suites").includes(suite)) continue;
    const [url] = field("URIs");
    if (!field("Components").includes("main") || url === undefined) continue;
    return { url, keyring: field("Signed-By").find((path) => path.startsWith("/")) ?? null };
  }
  return null;
}
