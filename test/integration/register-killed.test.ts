/** `register` killed with SIGKILL after each step, and run again: the end is that of a run that nobody disturbed. */
import { describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { differences, operatorEnv } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { expectSameEnd } from "./register-end-state.ts";
import { changesAtAws, openRegisterScene, WITH_BASE } from "./register-scene.ts";

/** They change nothing. */
const LOOKING = [
  "Check the arguments",
  "Check the host",
  "Identify the operator",
  "See that the name is free",
  "Assume the host's role",
];
const CHANGING = [
  "Write config and base credentials",
  "Start the service, get credentials",
  "Register with CodeDeploy",
  "Tag the instance",
  "Set the agent's config",
  "Have the agent run",
];

async function killAfter({ host, emulator }: HostScene, title: string): Promise<void> {
  // However late the kill comes, the command has not ended by itself.
  const { id } = emulator.faults.set({ match: { service: "codedeploy-commands" }, kind: "hang" });
  const command = host.start(WITH_BASE, { env: operatorEnv() });
  await eventually(
    () => command.output().includes(`  ${title}  `),
    () => `no step "${title}":\n${command.output()}`,
  );
  process.kill(command.pid, "SIGKILL");
  expect((await command.result).code).toBeNull();
  emulator.faults.clear(id);
}

describe.concurrent("register, killed", () => {
  test("while it only looks, has changed nothing", async (context) => {
    const scene = await openRegisterScene(context);
    const before = scene.host.snapshot();
    for (const title of LOOKING.slice(0, -1)) await killAfter(scene, title);
    expect(differences(before, scene.host.snapshot())).toEqual([]);
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
    await killAfter(scene, LOOKING.at(-1) ?? "");
    await expectSameEnd(scene);
  });

  test.for(CHANGING)(
    "after the step “%s”, and run again, ends as if nothing had happened",
    async (title, context) => {
      const scene = await openRegisterScene(context);
      await killAfter(scene, title);
      await expectSameEnd(scene);
    },
  );
});
