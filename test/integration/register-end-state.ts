/** What a registered host is like in the end, against one whose registration nobody disturbed. */
import { expect } from "vitest";
import { AGENT, HELPER, REQUESTS } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { instanceOf, openRegisterScene, registered, SERIAL } from "./register-scene.ts";

/** What a host and its account are like in the end; without times, random ids and what is written again and again. */
function endState(scene: HostScene) {
  const { host } = scene;
  const files = [...host.snapshot()].flatMap(([path, text]) => {
    if (!/^\/(etc\/(idc|codedeploy|systemd|cron)|root|home|tmp|var\/lib)/.test(path)) return [];
    const isChanging = /^\/var\/lib/.test(path);
    const [owners = "", ...content] = text.split("\n");
    const said = content.join("\n").replace(/"startedAt": "[^"]*"/, '"startedAt": "…"');
    return [[path, isChanging ? owners : `${owners}\n${said}`]];
  });
  const instance = instanceOf(scene);
  return {
    files: Object.fromEntries(files),
    registration: [instance?.iamSessionArn, instance?.deregisteredAt, instance?.tags],
    active: [HELPER, REQUESTS, AGENT].map((unit) => host.services.isActive(unit)),
    isEnabled: host.services.isEnabled(HELPER),
    status: host.status()?.state,
  };
}

/** One for the whole file: of a host of the same build. */
let reference: Promise<ReturnType<typeof endState>> | null = null;

async function undisturbed(): Promise<ReturnType<typeof endState>> {
  const ends: (() => Promise<void>)[] = [];
  try {
    const scene = await openRegisterScene({ onTestFinished: (end) => ends.push(end) });
    await registered(scene);
    return endState(scene);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

export async function expectSameEnd(scene: HostScene): Promise<void> {
  await registered(scene);
  reference ??= undisturbed();
  expect(endState(scene)).toEqual(await reference);
  // And a third has nothing left to do.
  expect((await registered(scene)).stdout).toContain(`Nothing had to be changed: ${SERIAL} is registered`);
}
