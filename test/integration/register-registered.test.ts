/** `register --registered`: the host's part alone. AWS is told elsewhere, by an identity that never comes to the host. */
import { describe, expect, test } from "vitest";
import { ROLE_ARN } from "../aws-emulator/emulator.ts";
import type { HostScene } from "../harness/host-scene.ts";
import {
  BASE_FILE,
  changesAtAws,
  openRegisterScene,
  REGION,
  run,
  SERIAL,
  SESSION_ARN,
  stepsOf,
} from "./register-scene.ts";

const NOBODY = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
const HOSTS_PART = [
  ...["register", "--registered", "--serial", SERIAL, "--region", REGION, "--role-arn", ROLE_ARN],
  ...["--base-credentials", BASE_FILE],
];

function putInstance({ emulator }: HostScene): void {
  emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
}

describe.concurrent("register --registered", () => {
  test("takes a host that is registered elsewhere to a polling agent, without an operator", async (context) => {
    const scene = await openRegisterScene(context);
    putInstance(scene);
    const { code, stdout, stderr } = await run(scene, HOSTS_PART, { env: NOBODY });
    expect(code, stdout + stderr).toBe(0);
    expect(stepsOf(stdout).filter((step) => /operator|name|Register with|Tag/.test(step))).toEqual([]);
    expect(stepsOf(stdout).at(-1)).toBe("ok See the agent poll");
    expect(changesAtAws(scene)).toEqual([]);
    const asked = scene.emulator.requests
      .list()
      .filter(({ service, action }) => service === "codedeploy" && action !== "PollHostCommand");
    expect(asked.map(({ action }) => action)).toEqual([]);
  });

  test("a second run changes nothing", async (context) => {
    const scene = await openRegisterScene(context);
    putInstance(scene);
    await run(scene, HOSTS_PART, { env: NOBODY });
    const { code, stdout } = await run(scene, [...HOSTS_PART, "--json"], { env: NOBODY });
    expect(code, stdout).toBe(0);
    expect((JSON.parse(stdout) as { result: string }).result).toBe("kept");
  });

  test("says so where the host is not registered after all: AWS refuses its polls", async (context) => {
    const scene = await openRegisterScene(context);
    const { code, stdout, stderr } = await run(scene, HOSTS_PART, { env: NOBODY });
    expect(code).toBe(1);
    // Four are enough; how many more there are by the time it looks is the agent's affair.
    expect(stdout.replace(/\s+/g, " ") + stderr).toMatch(/AWS has refused ([4-9]|\d\d+) polls in a row/);
  });

  test.for([
    ["--tag", "Name=web"],
    ["--profile", "operator"],
  ] as const)("refuses %s, which would go unheeded", async (flags, context) => {
    const scene = await openRegisterScene(context);
    const { code, stderr } = await run(scene, [...HOSTS_PART, ...flags], { env: NOBODY });
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${flags[0]} does not go with --registered`)]);
    expect(scene.host.services.changes()).toEqual([]);
  });
});
