/**
 * Hosts as they were before us, for `adopt`: one whose cron job writes the agent's credentials, and one that was
 * registered with an IAM user. Cron itself does not run: tests run its script by hand.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TraceEvent } from "../agent/trace.ts";
import { BASE_KEY, type Emulator, ROLE_ARN, ROLE_NAME } from "../aws-emulator/emulator.ts";
import { fixedSecret } from "../aws-emulator/identity/canary.ts";
import { allow, trust } from "../aws-emulator/identity/policy/document.ts";
import { eventually } from "../harness/eventually.ts";
import { isFromTheMachine } from "../harness/host-root/layout.ts";
import { ON_PREMISES_CONFIG_FILE } from "../harness/host-root.ts";
import { type HostScene, type HostSceneOptions, openHostScene } from "../harness/host-scene.ts";
import type { TestContext } from "../harness/scene.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";

export const REGION = "ap-northeast-2";
export const SCRIPT = "/opt/codedeploy-cron/refresh.sh";
export const OLD_FILE = "/opt/codedeploy-cron/session-credentials";
const ASSUMER = fileURLToPath(new URL("adopt-cron-job.ts", import.meta.url));

/** Sessions last two minutes, and the five minutes between two reloads ten seconds. */
const FACTOR = 30;

export interface CronPlace {
  crontab: string;
  line: string;
  user: "root" | "deploy";
}

/** The places that crontabs have on RHEL and on Debian. */
export const PLACES = {
  "root's crontab (RHEL)": {
    crontab: "/var/spool/cron/root",
    line: `*/30 * * * * ${SCRIPT} >/dev/null 2>&1`,
    user: "root",
  },
  "a user's crontab (Debian)": {
    crontab: "/var/spool/cron/crontabs/deploy",
    line: `*/30 * * * * ${SCRIPT}`,
    user: "deploy",
  },
  "/etc/cron.d": {
    crontab: "/etc/cron.d/codedeploy",
    line: `*/30 * * * * deploy cd /opt/codedeploy-cron && ./refresh.sh`,
    user: "deploy",
  },
  "/etc/crontab": { crontab: "/etc/crontab", line: `@hourly root ${SCRIPT}`, user: "root" },
} as const satisfies Record<string, CronPlace>;

export interface CronHostOptions extends HostSceneOptions {
  place?: CronPlace;
  /** Begins and ends with a slash; none by default. */
  rolePath?: string;
  /** Whether the script holds the role's ARN; else it works it out. */
  isRoleInScript?: boolean;
  /** Where the old credentials go. */
  oldFile?: string;
  /** Profile of the base key in the user's ~/.aws/credentials. */
  profile?: string;
}

export interface CronHost extends HostScene {
  place: CronPlace;
  oldFile: string;
  /** What cron does every half hour. */
  runCronJob(): Promise<void>;
}

export async function openCronHost(test: TestContext, options: CronHostOptions = {}): Promise<CronHost> {
  const place = options.place ?? PLACES["root's crontab (RHEL)"];
  const { rolePath = "/", isRoleInScript = true, oldFile = OLD_FILE, profile = "default" } = options;
  const roleArn = ROLE_ARN.replace(/(?<=role)\//, rolePath);
  const scene = await openHostScene(test, { agent: "stopped", timeFactor: FACTOR, ...options });
  const { host, emulator } = scene;
  emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
  if (rolePath !== "/") moveRole(emulator, rolePath);
  const home = place.user === "root" ? "/root" : "/home/deploy";
  const { accessKeyId, secretAccessKey } = BASE_KEY;
  host.write(
    `${home}/.aws/credentials`,
    `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    { mode: 0o600, owner: place.user },
  );
  host.write(
    SCRIPT,
    scriptText(isRoleInScript ? roleArn : roleArn.replace("arn:", "arn:$(echo)"), oldFile, profile),
    { mode: 0o755 },
  );
  host.write(oldFile, "", { mode: 0o600 });
  host.write("/opt/codedeploy-cron/.keep", "", { owner: place.user });
  const runCronJob = async () => {
    const { code, stderr } = await host.runProgram("sh", [SCRIPT], { env: { HOME: home } });
    if (code !== 0) throw new Error(stderr);
  };
  const before = place.crontab === "/etc/crontab" ? host.read(place.crontab) : "";
  const mode = place.crontab.startsWith("/var") ? 0o600 : 0o644;
  const owner = place.crontab.endsWith("/deploy") ? "deploy" : "root";
  host.write(
    place.crontab,
    `${before}# The agent's credentials\nMAILTO=""\n${place.line}\n5 4 * * * ${place.crontab.startsWith("/etc") ? "root " : ""}/usr/bin/true\n`,
    { mode, owner },
  );
  host.write(
    ON_PREMISES_CONFIG_FILE,
    `---\niam_session_arn: ${SESSION_ARN}\naws_credentials_file: ${oldFile}\nregion: ${REGION}\n`,
    { mode: 0o644 },
  );
  await runCronJob();
  await host.services.startAgent();
  await host.services.agent.waitForTrace("poll_ok");
  return { ...scene, place, oldFile, runCronJob };
}

function moveRole(emulator: Emulator, path: string): void {
  const roleArn = ROLE_ARN.replace(/(?<=role)\//, path);
  const base = emulator.users.put({
    name: "idc-base",
    ...BASE_KEY,
    policies: [allow("sts:AssumeRole", roleArn)],
  });
  emulator.roles.put({ name: ROLE_NAME, path, trustPolicy: trust(base.arn) });
}

export const USER_ARN = "arn:aws:iam::123456789012:user/codedeploy/web-01";
export const USER_KEY = {
  accessKeyId: "AKIAIDCWEB0100000001",
  secretAccessKey: fixedSecret("IAM user"),
};
export const TAGS = [
  { Key: "Name", Value: "web" },
  { Key: "Stage", Value: "prod" },
];

/** A host registered with `aws deploy register`: an IAM user, whose key lies in the agent's config. */
export async function openUserHost(test: TestContext, options: HostSceneOptions = {}): Promise<HostScene> {
  const scene = await openHostScene(test, { agent: "stopped", timeFactor: FACTOR, ...options });
  const { host, emulator } = scene;
  emulator.users.put({ name: "codedeploy/web-01", ...USER_KEY });
  const instance = emulator.instances.put({ name: "web-01", region: REGION, iamSessionArn: "" });
  const user = { iamSessionArn: null, iamUserArn: USER_ARN, tags: TAGS };
  emulator.state.instances.put({ ...instance, ...user });
  host.write(
    ON_PREMISES_CONFIG_FILE,
    `---
region: ${REGION}
iam_user_arn: ${USER_ARN}
aws_access_key_id: ${USER_KEY.accessKeyId}
aws_secret_access_key: ${USER_KEY.secretAccessKey}
`,
    { mode: 0o600 },
  );
  const { accessKeyId, secretAccessKey } = BASE_KEY;
  host.write(
    "/root/base.ini",
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    { mode: 0o600 },
  );
  await host.services.startAgent();
  await host.services.agent.waitForTrace("poll_ok");
  return scene;
}

/** The lines that are new. */
export function newsOf(before: string, after: string): string[] {
  const old = before.split("\n");
  return after.split("\n").filter((line) => !old.includes(line));
}

function scriptText(roleArn: string, oldFile: string, profile: string): string {
  return `#!/bin/sh
# Refreshes the CodeDeploy agent's credentials: aws sts assume-role, by another name.
export AWS_PROFILE=${profile}
ROLE=${roleArn}
exec '${process.execPath}' '${ASSUMER}' "$ROLE" ${SERIAL} ${oldFile}
`;
}

/** Everything on the host's disk that a command could change, with its mode and owner. */
export function snapshot({ host }: HostScene): Map<string, string> {
  const found = new Map<string, string>();
  for (const top of ["etc", "var/spool", "var/lib", "root", "home", "opt/codedeploy-cron"]) {
    const from = join(host.directory, top);
    if (!existsSync(from)) continue;
    for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath, entry.name);
      // The service renews what lies in its own directory at any time.
      if (!entry.isFile() || path.includes("/var/lib/idc-codedeploy-helper/")) continue;
      const pathOnHost = path.slice(host.directory.length);
      if (isFromTheMachine(pathOnHost)) continue;
      const { mode, uid, gid } = statSync(path);
      found.set(pathOnHost, `${(mode & 0o7777).toString(8)} ${uid}:${gid}\n${readFileSync(path, "latin1")}`);
    }
  }
  return found;
}

/** What the emulator was asked to change. */
export function changesInAws({ emulator }: HostScene): string[] {
  return emulator.requests
    .list()
    .flatMap(({ action }) => (/^(Add|Remove|Reg|Dereg)/.test(action) ? [action] : []));
}

/** Polls that were refused, and workers that could not start: there must be none. */
export function troubles({ host, emulator }: HostScene): unknown[] {
  const inAgent = host.services.agent.trace().filter((event: TraceEvent) => {
    // A machine under load lets a poll time out; that is no matter of credentials.
    if (event.kind === "poll_error") return event.code !== "NetworkingError";
    return event.kind === "worker_failed" || event.kind === "credentials_unreadable";
  });
  const refused = emulator.requests
    .list()
    .filter(({ action, status }) => action === "PollHostCommand" && status !== null && status !== 200);
  return [...inAgent, ...refused];
}

/** The worker polls with what lies in our file, or in the old one. */
export async function configOfWorker({ host }: HostScene): Promise<string> {
  const pid = host.services.agent.workerPid();
  return eventually(
    () => {
      const read = host.services.agent
        .trace()
        .findLast((event) => event.kind === "config_read" && event.pid === pid);
      return read?.kind === "config_read" && read.credentialsFile;
    },
    () => "the worker has read no config",
  );
}
