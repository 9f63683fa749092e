/**
 * The third question: what do stand-in and original do when the service refuses what they hold as expired?
 *
 * The Ruby SDK makes the provider read the file again and repeats the call (`retry_errors.rb`), unless the file is
 * its own default one, of which it has a copy for ever (FACTS). The emulator's record shows what each sent.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { renderProfile } from "../../src/credentials/profile-file.ts";
import { AgentCredentials } from "../agent/agent-credentials.ts";
import { CommandsClient } from "../agent/commands-client.ts";
import { CredentialHolder } from "../agent/credential-holder.ts";
import { Pace } from "../agent/pace.ts";
import { profileSource } from "../agent/profile-source.ts";
import { ServiceFailure } from "../agent/service-failure.ts";
import type { Emulator } from "../aws-emulator/emulator.ts";
import { cleanEnvironment, runScript } from "./external-process.ts";
import { issueSession, REGION, type SuppliedSession } from "./issue-session.ts";
import type { Programs } from "./requirements.ts";
import type { Tally } from "./tally.ts";

/** The SDK's pauses between attempts; the stand-in shortens them, nothing here depends on their length. */
const STAND_IN_PACE = 100;

interface Situation {
  name: string;
  /** Where the file lies, below the home directory. */
  file: string;
  /** What each attempt is signed with, in order. */
  expected: ("expired" | "valid")[];
}

const SITUATIONS: readonly Situation[] = [
  { name: "read the file again at once", file: "credentials", expected: ["expired", "valid"] },
  {
    name: "go on with their copy where the file is the SDK's own default",
    file: ".aws/credentials",
    expected: ["expired", "expired", "expired", "expired"],
  },
];

export async function checkRefusedCredentials(
  { ruby }: Programs,
  emulator: Emulator,
  directory: string,
  tally: Tally,
): Promise<void> {
  for (const { name, file, expected } of SITUATIONS) {
    const home = join(directory, "refused");
    const path = join(home, file);
    const env = cleanEnvironment(home);
    mkdirSync(dirname(path), { recursive: true });

    for (const [who, call] of Object.entries({ original: callAsOriginal, "stand-in": callAsStandIn })) {
      const first = await issueSession(emulator, "serial-refused");
      expire(emulator, first);
      const second = await issueSession(emulator, "serial-refused");
      writeFileSync(path, render(first));
      emulator.requests.clear();
      await call({ ruby, env, path, emulator, replacement: render(second) });
      const sent = emulator.requests.list().map(({ credentials }) => credentials);
      const fault = isDeepStrictEqual(sent, expected) ? undefined : `sent ${sent.join(", ")}`;
      tally.record(`refused credentials make the ${who} ${name}`, fault);
    }
  }
}

interface Call {
  ruby: string;
  env: NodeJS.ProcessEnv;
  path: string;
  emulator: Emulator;
  replacement: string;
}

async function callAsOriginal({ ruby, env, path, emulator, replacement }: Call): Promise<void> {
  await runScript(ruby, "call-refused.rb", env, {
    path,
    replacement,
    endpoint: emulator.url,
    region: REGION,
  });
}

async function callAsStandIn({ env, path, emulator, replacement }: Call): Promise<void> {
  const holder = new CredentialHolder(profileSource(path, env));
  const credentials = new AgentCredentials(
    holder,
    () => Date.now() / 1000,
    () => {},
  );
  credentials.readNow("start");
  writeFileSync(path, replacement);
  const client = new CommandsClient({
    endpoint: new URL(emulator.url),
    region: REGION,
    credentials,
    pace: new Pace(STAND_IN_PACE),
    readTimeoutSeconds: 80 * STAND_IN_PACE,
  });
  try {
    await client.call("PutHostCommandComplete", { HostCommandIdentifier: "none", CommandStatus: "Failed" });
  } catch (error) {
    // There is no such command; what matters is whose credentials the attempts carried.
    if (!(error instanceof ServiceFailure)) throw error;
  }
}

function expire(emulator: Emulator, { credentials }: SuppliedSession): void {
  const session = emulator.state.directory.session(credentials.accessKeyId);
  if (session) emulator.state.directory.addSession({ ...session, expiresAt: new Date(0) });
}

const render = ({ credentials }: SuppliedSession) => renderProfile("", "default", credentials);
