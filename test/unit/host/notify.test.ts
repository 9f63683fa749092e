/** What systemd hears from us, on real datagram sockets. */
import { once } from "node:events";
import { DgramSocket } from "node-unix-socket";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openNotifier } from "../../../src/host/notify.ts";
import { createLog } from "../../../src/report/log.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();
let lines: string[];
let socket: DgramSocket;
beforeEach(() => {
  lines = [];
  socket = new DgramSocket();
});
afterEach(() => socket.close());

const log = createLog({ level: "debug", format: "json", write: (line) => lines.push(line) });

async function received(address: string, env: string, ...sent: string[]): Promise<string> {
  socket.bind(address);
  const datagram = once(socket, "data");
  await openNotifier({ NOTIFY_SOCKET: env }, log).send(...sent);
  const [bytes] = await datagram;
  return String(bytes);
}

describe("a notification", () => {
  test("arrives whole in one datagram at a socket in the file system", async () => {
    const sent = ["READY=1", "STATUS=Credentials last until 15:04:05 — 시각"];
    expect(await received(scratch("notify"), scratch("notify"), ...sent)).toBe(sent.join("\n"));
  });

  test("arrives at an abstract address, which systemd writes with an @", async () => {
    const name = `idc-unit-${process.pid}-${Date.now()}`;
    expect(await received(`\0${name}`, `@${name}`, "WATCHDOG=1")).toBe("WATCHDOG=1");
  });

  test("arrives again and again, in order", async () => {
    socket.bind(scratch("notify"));
    const got: string[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on("data", (bytes: Buffer) => {
        if (got.push(String(bytes)) === 50) resolve();
      });
    });
    const { send } = openNotifier({ NOTIFY_SOCKET: scratch("notify") }, log);
    for (let index = 0; index < 50; index += 1) await send(`N=${index}`);
    await all;
    expect(got).toEqual(Array.from({ length: 50 }, (_, index) => `N=${index}`));
  });

  test("that nobody listens for fails nothing, and is a matter for debug", async () => {
    await openNotifier({ NOTIFY_SOCKET: scratch("none") }, log).send("READY=1");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: "debug", event: "notify_failed" }]);
  });

  test("is nothing without a socket", async () => {
    const notifier = openNotifier({ WATCHDOG_USEC: "1000000" }, log);
    await notifier.send("READY=1");
    expect(notifier.watchdogMs).toBeNull();
    expect(lines).toEqual([]);
  });
});

test("the variables are taken out of the environment, so that no child speaks in our name", () => {
  const env = { NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1", WATCHDOG_PID: "1", PATH: "/bin" };
  openNotifier(env, log);
  expect(env).toEqual({ PATH: "/bin" });
});

test.each([
  ["90000000", undefined, 90_000],
  ["90000000", String(process.pid), 90_000],
  ["90000000", "1", null],
  ["0", undefined, null],
  ["soon", undefined, null],
  [undefined, undefined, null],
])("WATCHDOG_USEC=%s for process %s asks for a word every %s ms", (usec, pid, ms) => {
  const env = {
    NOTIFY_SOCKET: "/x",
    ...(usec === undefined ? {} : { WATCHDOG_USEC: usec }),
    ...(pid === undefined ? {} : { WATCHDOG_PID: pid }),
  };
  expect(openNotifier(env, log).watchdogMs).toBe(ms);
});
