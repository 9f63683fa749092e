/** A scratch host's disk, before and after: what has come or changed, held against docs/permissions.md. */

import type { Snapshot } from "../../harness/host-root/snapshot.ts";
import type { HostRoot } from "../../harness/host-root.ts";
import { described, sightingsIn } from "./forms.ts";
import { disagreement, type Entry, type Row, rowFor } from "./permission-table.ts";

/** The agent's and systemctl's own. */
const OTHERS =
  /^\/(?:opt\/codedeploy-agent|var\/log\/aws|run\/systemd|etc\/systemd\/system\/multi-user\.target\.wants)(?:\/|$)/;
/** Somebody else's, who keeps owner and mode: crontabs, and the file that a cron job wrote its credentials to. */
const KEPT = /^\/(?:var\/spool\/cron|etc\/cron|opt\/codedeploy-cron\/session-credentials$)/;
/** Beside what it replaces, with that file's owner and mode. */
const TEMPORARY = /\/\.([^/]+)\.tmp\.\d+\.[0-9a-f]{12}$/;

export interface DiskFindings {
  /** How many files and directories were written. */
  written: number;
  disagreements: string[];
  /** Secrets in files that may not hold one. */
  leaks: string[];
  /** The files that do hold one, and may. */
  holders: string[];
}

export function examineDisk(host: HostRoot, before: Snapshot, rows: readonly Row[]): DiskFindings {
  const after = host.snapshot();
  const found: DiskFindings = { written: 0, disagreements: [], leaks: [], holders: [] };
  for (const [path, is] of after) {
    const was = before.get(path);
    if (was === is) continue;
    const entry = entryOf(path.replace(TEMPORARY, "/$1"), is);
    const [, content = ""] = split(is);
    const sightings = entry.kind === "file" ? sightingsIn(Buffer.from(content, "latin1")) : [];
    if (OTHERS.test(path)) {
      if (sightings.length > 0) found.leaks.push(`${described(sightings)} in ${path}`);
      continue;
    }
    // A directory that was there before has only new entries; its mode is what counts.
    found.written += 1;
    if (KEPT.test(path)) {
      const [head] = split(is);
      if (was === undefined || split(was)[0] !== head)
        found.disagreements.push(
          `${path} is ${head}, and was ${was === undefined ? "not there" : split(was)[0]}`,
        );
      continue;
    }
    const fault = disagreement(rows, entry);
    if (fault !== undefined) found.disagreements.push(fault);
    if (sightings.length === 0) continue;
    if (rowFor(rows, entry)?.mayHoldSecret) found.holders.push(path);
    else found.leaks.push(`${described(sightings)} in ${path}`);
  }
  return found;
}

/** `0644 root:root` and the content, as a snapshot has them. */
function split(text: string): [head: string, content: string] {
  const at = text.indexOf("\n");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function entryOf(path: string, text: string): Entry {
  const [head] = split(text);
  if (head.startsWith("-> ")) return { path, kind: "link", owner: "", mode: "" };
  const [mode = "", owner = "", kind] = head.split(" ");
  return { path, kind: kind === "directory" ? "directory" : "file", owner, mode };
}
