/** What lies on a scratch host at one moment. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { isRoot } from "../identity.ts";
import { ACCOUNTS } from "./accounts.ts";
import { HARNESS_DIRECTORY } from "./inside.ts";

/** From path on the host to `0644 root:root` and, after a line feed, the content (a link's target after `-> `). */
export type Snapshot = ReadonlyMap<string, string>;

const TOP = ["etc", "var", "run", "root", "home", "opt", "tmp"];
/** systemd's and the harness's own. */
const LEFT_OUT = [HARNESS_DIRECTORY, "/run/systemd/notify"];

export function takeSnapshot(directory: string): Snapshot {
  const snapshot = new Map<string, string>();
  const add = (path: string) => {
    if (LEFT_OUT.includes(path)) return;
    const described = describe(join(directory, path));
    if (described === null) return;
    snapshot.set(path, described.text);
    for (const name of described.names) add(`${path}/${name}`);
  };
  for (const top of TOP) add(`/${top}`);
  return snapshot;
}

/** @returns `+ /new`, `- /gone`, `~ /changed`, by path; the content is in the snapshots */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) return [];
    return [`${was === undefined ? "+" : is === undefined ? "-" : "~"} ${path}`];
  });
}

/** Null for what has gone meanwhile. */
function describe(path: string): { text: string; names: string[] } | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
  const owners = `${mode} ${nameOf(stats.uid, "userId")}:${nameOf(stats.gid, "groupId")}`;
  try {
    if (stats.isDirectory()) return { text: `${owners} directory`, names: readdirSync(path).sort() };
    if (stats.isSymbolicLink()) return { text: `-> ${readlinkSync(path)}`, names: [] };
    const content = stats.isFile() ? readFileSync(path, "latin1") : "(no file)";
    return { text: `${owners}\n${content}`, names: [] };
  } catch {
    return null;
  }
}

/** In a user namespace whoever runs the tests is the host's root. */
function nameOf(id: number, key: "userId" | "groupId"): string {
  const ownId = isRoot ? id : 0;
  return Object.values(ACCOUNTS).find((account) => account[key] === ownId)?.name ?? String(id);
}
