/** What was found, in words for a person. No secret: commands are shown blotted. */
import type { StepOutcome } from "../report/progress.ts";
import type { CronJob, CronSearch } from "./cron-search.ts";
import type { Manifest, SavedJob } from "./manifest.ts";
import type { OldSetup } from "./old-setup.ts";
import { redacted } from "./redact.ts";

export function describeSetup(setup: OldSetup, file: string, manifest: Manifest | null): StepOutcome {
  const again =
    manifest === null ? [] : [`Adopting began at ${manifest.startedAt}; this goes on from there.`];
  if (setup.kind === "session") {
    const { sessionArn, region, credentialsFile } = setup;
    const detail = `${file}: session ${sessionArn} in ${region}, credentials from ${credentialsFile}`;
    return { state: "ok", detail, notes: again };
  }
  const { userArn, accessKeyId, region } = setup;
  const key = accessKeyId === null ? "" : `, key ${accessKeyId} in clear text`;
  return { state: "ok", detail: `${file}: IAM user ${userArn} in ${region}${key}`, notes: again };
}

const HOW_TO_DISABLE =
  "Whatever refreshes the old file (another scheduler, a systemd timer) goes on doing so; look for it and switch it off by hand.";

export function describeCron(
  { jobs, related, unread, elsewhere }: CronSearch,
  manifest: Manifest | null,
): StepOutcome {
  const others = related.map((job) => `Left alone: ${describeJob(job)}`);
  const notes = [...others, ...elsewhere, ...unread.map((why) => `Not read: ${why}`)];
  const isClear = elsewhere.length === 0 && unread.length === 0;
  if (jobs.length > 0)
    return { state: isClear ? "ok" : "note", detail: jobs.map(describeJob).join("\n"), notes };
  if (manifest !== null && manifest.jobs.length > 0) {
    const places = manifest.jobs.map(({ file, line }) => `${file}:${line}`).join(", ");
    return { state: "ok", detail: `disabled already: ${places}`, notes };
  }
  const detail = "no crontab entry was found that does";
  return { state: "note", detail, notes: [...notes, HOW_TO_DISABLE] };
}

function describeJob({ file, entry, scripts, evidence }: CronJob): string {
  const runs = scripts.length === 0 ? "" : `, which runs ${scripts.join(", ")}`;
  return `${file}:${entry.line}, user ${entry.user}, ${entry.schedule}: ${redacted(entry.command)}${runs} (mentions ${evidence.mentions.join(", ")})`;
}

/** The lines that are commented out, for the plan. */
export function showJob({ file, line, content }: SavedJob): string {
  return `${file}:${line}\n-${redacted(content)}\n+# (date) disabled by idc-helper adopt: …\n+#${redacted(content)}`;
}
