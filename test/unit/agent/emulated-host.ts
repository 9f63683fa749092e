/** A host for the stand-in agent: registered with the emulator, with the two files that the agent reads. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderProfile } from "../../../src/credentials/profile-file.ts";
import { replaceFile } from "../../../src/host/atomic-file.ts";
import { agentPaths, type RunningAgent, startAgent } from "../../agent/launch.ts";
import { type Emulator, startEmulator } from "../../aws-emulator/emulator.ts";
import { issueSession, REGION, type SuppliedSession } from "../../readers/issue-session.ts";

const SERIAL = "serial-ABCDEFG";

export interface EmulatedHost {
  directory: string;
  emulator: Emulator;
  agent: RunningAgent;
  sessionArn: string;
  /** Has the emulator issue a session; no file is touched. */
  issue(): Promise<SuppliedSession>;
  write(session: SuppliedSession): Promise<void>;
  /** Lets a session that was issued before run out now. */
  expire(accessKeyId: string): void;
  close(): Promise<void>;
}

/** @param first whether the credentials file is there when the agent starts */
export async function startEmulatedHost(
  timeFactor: number,
  first: "written" | "missing",
): Promise<EmulatedHost> {
  const directory = mkdtempSync(join(tmpdir(), "emulated-host-"));
  const credentialsFile = join(directory, "credentials");
  const emulator = await startEmulator({ timeFactor });
  // A worker ends only when its poll has: short polls make short tests.
  emulator.settings.change({ pollHoldMs: 10_000 });
  const issue = () => issueSession(emulator, SERIAL);
  const write = ({ credentials }: SuppliedSession) =>
    replaceFile(credentialsFile, renderProfile("", "default", credentials), { mode: 0o600 });
  const session = await issue();
  const { sessionArn } = session;
  emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: sessionArn });
  writeFileSync(
    agentPaths(directory).onPremisesConfig,
    `---\niam_session_arn: ${sessionArn}\naws_credentials_file: ${credentialsFile}\nregion: ${REGION}\n`,
  );
  if (first === "written") await write(session);
  const agent = await startAgent({ directory, endpoint: emulator.url, timeFactor });
  return {
    directory,
    emulator,
    agent,
    sessionArn,
    issue,
    write,
    expire(accessKeyId) {
      const issued = emulator.state.directory.session(accessKeyId);
      if (!issued) throw new Error("the emulator did not issue this session");
      emulator.state.directory.addSession({ ...issued, expiresAt: new Date(0) });
    },
    async close() {
      await agent.stop();
      await emulator.close();
      rmSync(directory, { recursive: true });
    },
  };
}
