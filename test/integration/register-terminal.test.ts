/** `register` on a terminal: its questions, Ctrl-C at each of them, and 60 columns. */
import { describe, expect, test } from "vitest";
import { BASE_KEY, OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { DMI } from "../harness/host-root/layout.ts";
import { BASE_CREDENTIALS_FILE, differences, operatorEnv } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { plain, type Terminal } from "../harness/terminal.ts";
import {
  BASE_FILE,
  changesAtAws,
  iniOf,
  openRegisterScene,
  REGISTER,
  SERIAL,
  WITH_BASE,
} from "./register-scene.ts";

const KEY_ID = "Access key id of the host's base identity (empty: the operator's own key):";
const SECRET = "Its secret access key (not shown):";
const AUTO = WITH_BASE.map((word) => (word === SERIAL ? "auto" : word));
const DERIVED = DMI.product_serial.replaceAll(" ", "");
const CONFIRM = `Register this host as ${DERIVED}?`;

const typed = (scene: HostScene, args: readonly string[], columns = 100): Terminal =>
  scene.host.terminal([...args], { env: operatorEnv(), columns });

/** What a person sees in the end: a line that was written over counts as it was last. */
function screenOf(output: string): string {
  return plain(output)
    .split("\n")
    .map((line) => line.split("\r").at(-1)?.trimEnd() ?? "")
    .join("\n");
}

async function expectUntouched(scene: HostScene, terminal: Terminal, before: ReadonlyMap<string, string>) {
  const { code, output } = await terminal.result;
  expect(code).toBe(1);
  expect(differences(before, scene.host.snapshot())).toEqual([]);
  expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  expect(plain(output)).toContain("Nothing was changed.");
  expect(plain(output)).toContain("It is safe to run idc-helper register again");
  return plain(output);
}

describe.concurrent("register on a terminal", () => {
  test("asks for the base key, shows nothing of its secret, and registers", async (context) => {
    const scene = await openRegisterScene(context);
    const terminal = typed(scene, REGISTER);
    await terminal.expect(KEY_ID);
    terminal.answer("nonsense");
    await terminal.expect("An access key id, such as AKIA…: 16 to 128 capital letters and digits");
    terminal.type("\x15");
    terminal.answer("ASIAIDCBASE000000001");
    await terminal.expect("ASIA… is a temporary key, which ends within hours");
    terminal.type("\x15");
    terminal.answer(BASE_KEY.accessKeyId);
    await terminal.expect(SECRET);
    terminal.answer(BASE_KEY.secretAccessKey);
    const { code, output } = await terminal.result;
    expect([code, plain(output)]).toEqual([0, expect.stringContaining(`${SERIAL} is registered`)]);
    expect(output).not.toContain(BASE_KEY.secretAccessKey);
    // Nor a star for each of its characters.
    expect(output).not.toContain("****");
    expect(scene.host.read(BASE_CREDENTIALS_FILE)).toBe(iniOf(BASE_KEY));
  });

  test("standard input that is a terminal is a prompt, too: what is typed there would be shown", async (context) => {
    const scene = await openRegisterScene(context);
    const terminal = typed(scene, [...REGISTER, "--base-credentials", "-"]);
    await terminal.expect("Access key id of the host's base identity:");
    terminal.answer(BASE_KEY.accessKeyId);
    await terminal.expect(SECRET);
    terminal.answer(BASE_KEY.secretAccessKey);
    const { code, output } = await terminal.result;
    expect(code).toBe(0);
    expect(output).not.toContain(BASE_KEY.secretAccessKey);
  });

  test("takes an empty answer for the operator's own key, which here may not assume the role", async (context) => {
    const scene = await openRegisterScene(context);
    const before = scene.host.snapshot();
    const terminal = typed(scene, REGISTER);
    await terminal.expect(KEY_ID);
    terminal.press("enter");
    const output = await expectUntouched(scene, terminal, before);
    expect(output).toContain("AWS denies AssumeRole on");
    expect(output).not.toContain(OPERATOR_KEY.secretAccessKey);
  });

  test("Ctrl-C at the question for the serial, for the key and for its secret leaves everything as it was", async (context) => {
    const scene = await openRegisterScene(context);
    const before = scene.host.snapshot();
    const atSerial = typed(scene, AUTO);
    await atSerial.expect(CONFIRM);
    atSerial.press("ctrl-c");
    expect(await expectUntouched(scene, atSerial, before)).toContain("interrupted at a question");
    const atKey = typed(scene, REGISTER);
    await atKey.expect(KEY_ID);
    atKey.press("ctrl-c");
    expect(await expectUntouched(scene, atKey, before)).toContain("interrupted at a question");
    const atSecret = typed(scene, REGISTER);
    await atSecret.expect(KEY_ID);
    atSecret.answer(BASE_KEY.accessKeyId);
    await atSecret.expect(SECRET);
    atSecret.type("half of a sec");
    atSecret.press("ctrl-c");
    expect(await expectUntouched(scene, atSecret, before)).not.toContain("half of a sec");
  });

  test("the serial that was derived is shown, and no is an answer", async (context) => {
    const scene = await openRegisterScene(context);
    const before = scene.host.snapshot();
    const terminal = typed(scene, AUTO);
    await terminal.expect(CONFIRM);
    terminal.answer("n");
    const output = await expectUntouched(scene, terminal, before);
    expect(output.replaceAll("\n", " ")).toContain(
      `${DERIVED} is the product serial of this machine (DMI), "${DMI.product_serial}", without what AWS does not take. It cannot be changed later without deregistering.`,
    );
    expect(output).toContain(`the serial ${DERIVED} was not accepted`);
    expect(output).toContain("Give another: --serial NAME");
    const second = typed(scene, AUTO);
    await second.expect(CONFIRM);
    second.answer("y");
    expect((await second.result).code).toBe(0);
    expect(scene.emulator.instances.list().map(({ name }) => name)).toEqual([DERIVED]);
    // Registered, it is asked for no more.
    const third = await typed(scene, AUTO).result;
    expect([third.code, plain(third.output)]).toEqual([0, expect.not.stringContaining(CONFIRM)]);
  });

  test("Ctrl-C while it waits for the agent ends it at once, and says that it is safe to run again", async (context) => {
    const scene = await openRegisterScene(context);
    // The agent's poll is never answered.
    scene.emulator.faults.set({ match: { service: "codedeploy-commands" }, kind: "hang" });
    const terminal = typed(scene, WITH_BASE);
    await scene.emulator.requests.waitFor(({ action }) => action === "PollHostCommand");
    await terminal.expect("…     Read back, and see the agent poll");
    const pressedMs = performance.now();
    terminal.press("ctrl-c");
    const { code, output } = await terminal.result;
    expect(code).toBe(1);
    // Far from the three minutes that it would wait.
    expect(performance.now() - pressedMs).toBeLessThan(30_000);
    expect(screenOf(output)).toMatch(
      /^ {2}FAIL {2}Read back, and see the agent poll +\d+\.\d s\n {8}interrupted\n/m,
    );
    expect(plain(output)).toContain(
      "It is safe to run idc-helper register again: it goes on where it stopped.",
    );
    scene.emulator.faults.clear();
    const again = await typed(scene, WITH_BASE).result;
    expect([again.code, plain(again.output)]).toEqual([
      0,
      expect.stringContaining("Nothing had to be changed"),
    ]);
  });

  test("of 60 columns is not overrun, but by what must be copied whole", async (context) => {
    const scene = await openRegisterScene(context);
    const sessions = [
      await typed(scene, ["register"], 60).result,
      await typed(scene, ["register", "--help"], 60).result,
      await typed(scene, [...WITH_BASE, "--profile", "nobody"], 60).result,
      await typed(scene, [...WITH_BASE, "--role-arn", "x", "--tag", "y"], 60).result,
      await typed(scene, WITH_BASE, 60).result,
      await typed(scene, WITH_BASE, 60).result,
      await typed(scene, ["register", "--serial", "other", "--base-credentials", BASE_FILE], 60).result,
    ];
    expect(sessions.map(({ code }) => code)).toEqual([2, 0, 1, 2, 0, 0, 1]);
    for (const { output } of sessions) {
      const tooLong = screenOf(output)
        .split("\n")
        .filter((line) => line.length > 60 && line.trim().includes(" "));
      expect(tooLong).toEqual([]);
    }
  });

  test("shows a step while it is under way, and then how it ended, in colour", async (context) => {
    const scene = await openRegisterScene(context);
    const terminal = typed(scene, WITH_BASE);
    await terminal.expect("…     Start the service, get credentials");
    const { output } = await terminal.result;
    expect(output).toContain("\x1b[32mdone\x1b[39m  Start the service, get credentials");
    const { output: sober } = await scene.host.terminal([...WITH_BASE], {
      env: { ...operatorEnv(), NO_COLOR: "1" },
    }).result;
    expect(sober).not.toContain("\x1b[3");
  });
});
