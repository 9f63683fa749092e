/** A machine's identity: a clone takes no deployments of its twin, and a serial that is derived names the hardware. */
import { existsSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CREDENTIALS_FILE, HELPER } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import {
  changesAtAws,
  instanceOf,
  openRegisterScene,
  REGION,
  REGISTRATION_FILE,
  registered,
  run,
  SERIAL,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

const OTHER_UUID = "99999999-779a-c431-8f02-6bd510e3aa94";
const REFUSAL = `this machine is not the one that was registered as ${SERIAL}: its hardware (DMI) differs from what ${REGISTRATION_FILE} recorded. A clone would take its twin's deployments`;
const STEPS = `If it is a clone, give it a name of its own: idc-helper register --replace --serial NEW-SERIAL --region ${REGION} --role-arn ARN. If it is the same host with new hardware: idc-helper register --same-host --serial ${SERIAL} --region ${REGION} --role-arn ARN`;

const dmi = ({ host }: HostScene, name: string, text: string) =>
  host.write(`/sys/class/dmi/id/${name}`, `${text}\n`, { mode: 0o440, group: "idc-helper" });

/** As a copied disk wakes up: the same files, another machine. */
async function openClone(
  context: Parameters<typeof openRegisterScene>[0],
  { isFresh = false } = {},
): Promise<HostScene> {
  const scene = await openRegisterScene(context);
  dmi(scene, "product_uuid", "0d5e1c42-779a-c431-8f02-6bd510e3aa94");
  await registered(scene);
  await scene.host.services.stop(HELPER);
  dmi(scene, "product_uuid", OTHER_UUID);
  // Copied a while ago: the credentials on the disk have to be renewed.
  if (!isFresh) rmSync(scene.host.path(CREDENTIALS_FILE));
  scene.emulator.requests.clear();
  scene.host.services.calls.length = 0;
  return scene;
}

const auto = (more: string[] = []) => [
  ...WITH_BASE.map((word) => (word === SERIAL ? "auto" : word)),
  ...more,
];

describe.concurrent("a cloned machine", () => {
  test("is told so by register, by refresh and by the service, and gets no credentials", async (context) => {
    const scene = await openClone(context);
    const { host } = scene;
    expect(await run(scene)).toEqual({ code: 1, stdout: "", stderr: `${REFUSAL}\n  ${STEPS}\n` });
    const refresh = await host.command(["refresh"]);
    expect([refresh.code, refresh.stderr]).toEqual([1, expect.stringContaining(REFUSAL)]);
    await host.services.start(HELPER);
    const { failure } = await host.waitForStatus((status) => status.failure !== null, "a failure");
    expect(failure).toMatchObject({ kind: "cloned_machine", message: REFUSAL, next_step: STEPS });
    expect(existsSync(host.path(CREDENTIALS_FILE))).toBe(false);
    const calls = scene.emulator.requests.list().filter(({ action }) => action === "AssumeRole");
    expect([calls, changesAtAws(scene)]).toEqual([[], []]);
  });

  test("is told so at once, however fresh the credentials are that came with it", async (context) => {
    const scene = await openClone(context, { isFresh: true });
    await scene.host.services.start(HELPER);
    const { failure } = await scene.host.waitForStatus((status) => status.failure !== null, "a failure");
    expect(failure).toMatchObject({ kind: "cloned_machine", message: REFUSAL });
  });

  test("with --replace and a name of its own is registered beside its twin", async (context) => {
    const scene = await openClone(context);
    const args = WITH_BASE.map((word) => (word === SERIAL ? "clone-1" : word));
    const { stdout } = await registered(scene, [...args, "--replace"]);
    expect(stepsOf(stdout)).toContain("done Register with CodeDeploy");
    expect([instanceOf(scene)?.deregisteredAt, instanceOf(scene, "clone-1")?.deregisteredAt]).toEqual([
      null,
      null,
    ]);
    expect(JSON.parse(scene.host.read(REGISTRATION_FILE))).toMatchObject({
      serial: "clone-1",
      state: "complete",
    });
    expect(scene.host.status()?.state).toBe("fresh");
  });

  test("that is the same host with new hardware is taken for it with --same-host, also while its service rests", async (context) => {
    const scene = await openClone(context);
    await scene.host.services.start(HELPER);
    await scene.host.waitForStatus(({ failure }) => failure?.kind === "cloned_machine", "the refusal");
    const { stdout } = await registered(scene, [...WITH_BASE, "--same-host"]);
    expect(under(stdout, "Start the service, get credentials")).toMatch(/^restarted; credentials in/);
    expect(changesAtAws(scene)).toEqual([]);
    // From then on it is the machine that was registered.
    expect((await registered(scene)).stdout).toContain("Nothing had to be changed");
  });
});

describe.concurrent("--serial auto", () => {
  test("takes the product serial, says so, and leaves out what AWS does not take", async (context) => {
    const scene = await openRegisterScene(context);
    const { stdout } = await registered(scene, auto());
    expect(under(stdout, "Check the arguments")).toContain(
      'the serial is the product serial of this machine (DMI), "VMware-42 1c 5e 0d 9a 77 31 c4-8f 02 6b d5 10 e3 aa 94", without what AWS does not take',
    );
    expect(instanceOf(scene, "VMware-421c5e0d9a7731c4-8f026bd510e3aa94")).toBeDefined();
    expect((await registered(scene, auto())).stdout).toContain("Nothing had to be changed");
  });

  test("falls back on the machine id where the serial is junk, and says so", async (context) => {
    const scene = await openRegisterScene(context);
    dmi(scene, "product_serial", "To be filled by O.E.M.");
    const { stdout } = await registered(scene, auto(["--dry-run"]));
    expect(stdout).toContain("What registering would do, changing nothing: machine-4c1f7b0e9d3a45f1 in");
    expect(under(stdout, "Check the arguments")).toContain(
      'the serial is from the machine id (/etc/machine-id), because its product serial says "To be filled by O.E.M.", which names nothing; it changes when the system is installed anew',
    );
  });

  test("gives up where nothing names the machine, and asks for a name", async (context) => {
    const scene = await openRegisterScene(context);
    dmi(scene, "product_serial", "0");
    scene.host.write("/etc/machine-id", "uninitialized\n");
    expect(await run(scene, auto())).toEqual({
      code: 1,
      stdout: "",
      stderr:
        'no serial can be derived: its product serial says "0", which names nothing, and /etc/machine-id has no machine id\n  Give one that names the hardware, such as an asset number: --serial ASSET-000123\n',
    });
  });
});
