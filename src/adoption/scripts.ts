/**
 * What a crontab's command runs, as text: the scripts that it names, and those that they name in turn. Bounded in
 * number, depth and size; nothing is ever run.
 */
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { readBytes } from "../host/read-file.ts";

export interface Script {
  path: string;
  text: string;
}

const MAX_SCRIPT_BYTES = 256 * 1_024;
const MAX_SCRIPTS = 12;
/** A wrapper that calls a script that calls a program. */
const MAX_DEPTH = 3;
const MAX_WORDS = 400;
const DEFAULT_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin";

/** What a name ends in that is run, or handed to an interpreter; data of other names is no script. */
const SCRIPT_NAME = /\.(?:sh|bash|ksh|py|py3|rb|pl|js|cjs|mjs|ts)$/;
/** What a command reads or writes; what the agent's own config says must not count as said by a backup of it. */
const DATA_NAME = /(?:\.(?:ya?ml|json|conf|cfg|ini|log|txt|xml|pem|crt|key|gz|tgz|zip)|\/credentials)$/;

/** Opening one of these can have an effect. */
const NO_FILES = /^\/(?:dev|proc|sys)\//;

export interface Surroundings {
  /** Where cron starts it. */
  home: string;
  /** PATH as the crontab sets it; null for cron's own. */
  searchPath: string | null;
}

/** @returns the scripts that can be read, the command's own first */
export async function findScripts(command: string, { home, searchPath }: Surroundings): Promise<Script[]> {
  const scripts: Script[] = [];
  const seen = new Set<string>();
  const look = async (text: string, directory: string, depth: number, isCommand: boolean): Promise<void> => {
    const path = searchPath ?? DEFAULT_PATH;
    for (const candidate of candidates(text, { directory, home, path, isCommand })) {
      if (scripts.length >= MAX_SCRIPTS) return;
      if (seen.has(candidate)) continue;
      seen.add(candidate);
      const content = await readScript(candidate);
      if (content === null) continue;
      scripts.push({ path: candidate, text: content });
      if (depth < MAX_DEPTH) await look(content, dirname(candidate), depth + 1, false);
    }
  };
  await look(command, home, 1, true);
  return scripts;
}

interface Place {
  directory: string;
  home: string;
  path: string;
  /** Of a command every word counts; of a script only what looks like one, for it names all kinds of files. */
  isCommand: boolean;
}

function candidates(text: string, { directory, home, path, isCommand }: Place): string[] {
  const words = [...spacedWords(text), ...text.split(/[\s"'`;|&<>(){}=,]+/)]
    .filter(Boolean)
    .slice(0, MAX_WORDS)
    .map((word) => word.replace(/^~(?=\/)|^\$\{?HOME\}?(?=\/)/, home));
  const directories = [directory, ...changedTo(words, home)];
  return words.flatMap((word) => {
    if (DATA_NAME.test(word) || NO_FILES.test(word) || (!isCommand && !SCRIPT_NAME.test(word))) return [];
    // What is left of `"$(dirname "$0")"/x.py` begins with a slash, too.
    if (isAbsolute(word))
      return isCommand ? [normalize(word)] : [normalize(word), join(directory, basename(word))];
    // `$(dirname "$0")/x.py`, `$DIR/x.py`: most often it lies beside the script.
    if (word.includes("$")) return [join(directory, basename(word))];
    if (word.includes("/") || SCRIPT_NAME.test(word)) return directories.map((each) => join(each, word));
    return isCommand && /^[\w.-]+$/.test(word) ? path.split(":").map((each) => join(each, word)) : [];
  });
}

/** Paths with spaces in them: `"/opt/code deploy/x.sh"`, `/opt/code\\ deploy/x.sh`. */
function spacedWords(text: string): string[] {
  const inQuotes = [...text.matchAll(/(["'])(?=\S)([^"'\n]*\/[^"'\n]*)\1/g)].map(([, , word = ""]) => word);
  const escaped = text.match(/(?:\\ |[^\s"'`;|&<>()])+/g) ?? [];
  return inQuotes
    .filter((word) => word.includes(" "))
    .concat(escaped.filter((word) => word.includes("\\ ")).map((word) => word.replaceAll("\\ ", " ")));
}

/** `cd /opt/x && ./refresh.sh` */
function changedTo(words: readonly string[], home: string): string[] {
  return words.flatMap((word, index) => {
    if (words[index - 1] !== "cd") return [];
    return [isAbsolute(word) ? word : join(home, word)];
  });
}

/** @returns null for what is no text: a program, a directory, a file that is too large or may not be read */
async function readScript(path: string): Promise<string | null> {
  try {
    const bytes = await readBytes(path, { maxBytes: MAX_SCRIPT_BYTES, followLink: true });
    return bytes.includes(0) ? null : bytes.toString("utf8");
  } catch {
    return null;
  }
}
