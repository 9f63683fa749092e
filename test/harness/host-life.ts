/**
 * A host's whole life with CodeDeploy, as its operator, its service and its agent lead it: every step that needs a
 * right. Policies are proven by it: it passes under what `idc-helper iam` prints, and without any one statement of
 * that some step fails.
 *
 * What each step does is our own command's or the agent's; nothing is called in their place but S3, since the
 * stand-in agent fetches no revisions.
 */
import { readProfile } from "../agent/profile-source.ts";
import { ROLE_ARN } from "../aws-emulator/emulator.ts";
import { sendSigned } from "../unit/aws-emulator/signed-request.ts";
import { eventually } from "./eventually.ts";
import { CREDENTIALS_FILE, type HostRoot, operatorEnv } from "./host-root.ts";
import type { HostScene } from "./host-scene.ts";
import { SERIAL, SESSION_ARN } from "./scratch-host.ts";

export const REVISIONS = "idc-revisions";
const REVISION = "app/1.zip";

/** Where an operator has put the base credentials for `register` to take. */
export const GIVEN_BASE_FILE = "/root/base-credentials";
const REGISTER = [
  ...["register", "--serial", SERIAL, "--region", "ap-northeast-2", "--role-arn", ROLE_ARN],
  ...["--tag", "Stage=prod", "--base-credentials", GIVEN_BASE_FILE],
];

/** Where a life ended early: the command, with its own step or the call concerned, and what it said. */
export interface Mishap {
  at: string;
  said: string;
}

/** @returns null after a whole life, else the first thing that failed in it; nothing is tried after that */
export async function live(scene: HostScene): Promise<Mishap | null> {
  scene.emulator.buckets.put({ name: REVISIONS, objects: { [REVISION]: "bytes" } });
  for (const step of [register, deploy, fetchRevision, fetchVersion, refresh, deregister]) {
    const mishap = await step(scene);
    if (mishap !== null) return mishap;
  }
  return null;
}

type LifeStep = (scene: HostScene) => Promise<Mishap | null>;

/** Succeeds with a note where the agent is not seen polling: for a life, that is not enough. */
const register: LifeStep = async ({ host }) => {
  const { steps, mishap } = await journey(host, REGISTER);
  if (mishap !== null) return mishap;
  const verify = steps.find(({ step }) => step === "verify");
  return verify?.state === "ok" ? null : { at: "register: verify", said: verify?.detail ?? "no such step" };
};

const deregister: LifeStep = async ({ host }) => (await journey(host, ["deregister", "--yes"])).mishap;

/** One lifecycle event, by the agent that register has started. */
const deploy: LifeStep = async ({ emulator, host }) => {
  const { id } = emulator.events.queue({ hostIdentifier: SESSION_ARN, script: "true" });
  const refused = () =>
    emulator.requests
      .list()
      .find(({ service, errorCode }) => service === "codedeploy-commands" && errorCode !== null);
  const ended = () => emulator.events.get(id)?.endedAt != null;
  const describe = () => `the event came to no end:\n${host.services.agent.log}`;
  const refusal = await eventually(() => refused() ?? ended(), describe);
  if (refusal !== true) return { at: `agent: ${refusal.action}`, said: `${refusal.errorCode}` };
  const { state, diagnostics } = emulator.events.get(id) ?? {};
  return state === "succeeded" ? null : { at: "agent", said: `${state}: ${diagnostics}` };
};

const fetchRevision: LifeStep = (scene) => getObject(scene, "fetch a revision", {});

const fetchVersion: LifeStep = (scene) => {
  const versionId = scene.emulator.buckets.list()[0]?.objects[0]?.versionId ?? "";
  return getObject(scene, "fetch a version of a revision", { versionId });
};

/** Asked by root, it is the running service that refreshes. */
const refresh: LifeStep = async ({ host }) => {
  const before = host.read(CREDENTIALS_FILE);
  const { code, stdout, stderr } = await host.command(["refresh"]);
  if (code !== 0) return { at: "refresh", said: stdout + stderr };
  return host.read(CREDENTIALS_FILE) === before ? { at: "refresh", said: "brought nothing new" } : null;
};

interface JourneyAnswer {
  steps: { step: string; state: string; detail: string }[];
  mishap: Mishap | null;
}

/** A command of ours that walks through steps. */
async function journey(host: HostRoot, args: readonly string[]): Promise<JourneyAnswer> {
  const { code, stdout, stderr } = await host.command([...args, "--json"], { env: operatorEnv() });
  const { steps = [] }: Partial<JourneyAnswer> = JSON.parse(stdout || "{}");
  if (code === 0) return { steps, mishap: null };
  const failed = steps.find(({ state }) => state === "FAIL");
  const at = `${args[0]}: ${failed?.step ?? "before its first step"}`;
  return { steps, mishap: { at, said: failed?.detail ?? stdout + stderr } };
}

/** As the agent would, with the credentials that the service keeps for it. */
async function getObject(
  { emulator, host }: HostScene,
  at: string,
  query: Record<string, string>,
): Promise<Mishap | null> {
  const reading = readProfile(host.path(CREDENTIALS_FILE), "default");
  if (reading.kind !== "read") return { at, said: `${CREDENTIALS_FILE} is ${reading.kind}` };
  const { sessionToken = "", ...keys } = reading.credentials;
  const credentials = { ...keys, sessionToken };
  const path = `/${REVISIONS}/${REVISION}`;
  const request = { credentials, service: "s3", method: "GET", path, query } as const;
  const response = await sendSigned(emulator.url, request);
  return response.status === 200 ? null : { at, said: await response.text() };
}
