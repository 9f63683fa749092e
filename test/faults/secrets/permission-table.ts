/** docs/permissions.md, and what a host's disk is by it. */
import { readFileSync } from "node:fs";

const PAGE = new URL("../../../docs/permissions.md", import.meta.url);

export interface Row {
  path: string;
  pattern: RegExp;
  isDirectory: boolean;
  owner: string;
  mode: string;
  mayHoldSecret: boolean;
}

export function permissionTable(): Row[] {
  const lines = readFileSync(PAGE, "utf8").split("\n");
  const rows = lines.flatMap((line) => {
    const [, path, owner = "", mode = "", secret = ""] =
      /^\| `([^`]+)` \| ([\w-]+:[\w-]+) \| (0\d{3}) \| (?:(yes|no) )?\|/.exec(line) ?? [];
    return path === undefined ? [] : [rowOf(path, owner, mode, secret === "yes")];
  });
  const written = lines.filter((line) => line.startsWith("| `")).length;
  if (rows.length === 0 || rows.length !== written)
    throw new Error(`docs/permissions.md: ${rows.length} of ${written} lines can be read`);
  return rows;
}

function rowOf(path: string, owner: string, mode: string, mayHoldSecret: boolean): Row {
  const bare = path.replace(/\/$/, "");
  const pattern = bare
    .split("*")
    .map((part) => part.replace(/[.\\]/g, "\\$&"))
    .join("[^/]*");
  return {
    path,
    pattern: new RegExp(`^${pattern}$`),
    isDirectory: path.endsWith("/"),
    owner,
    mode,
    mayHoldSecret,
  };
}

/** One thing on a disk. */
export interface Entry {
  path: string;
  kind: "file" | "directory" | "link" | "other";
  owner: string;
  mode: string;
}

export function rowFor(rows: readonly Row[], { path, kind }: Pick<Entry, "path" | "kind">): Row | undefined {
  return rows.find(
    ({ pattern, isDirectory }) => isDirectory === (kind === "directory") && pattern.test(path),
  );
}

/** What is not as the table has it; undefined where all is. */
export function disagreement(rows: readonly Row[], entry: Entry): string | undefined {
  const row = rowFor(rows, entry);
  if (row === undefined) return `${entry.path} is in no row of docs/permissions.md`;
  const found = `${entry.owner} ${entry.mode}`;
  const wanted = `${row.owner} ${row.mode}`;
  return found === wanted ? undefined : `${entry.path} is ${found}, not ${wanted}`;
}
