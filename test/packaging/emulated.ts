/** The aarch64 build run for real, if under emulation: its Node, its bundle, and the addon that is our own. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileAddon } from "../../packaging/addon.ts";
import { LIBEXEC, ROOT, targetOf, VERSION } from "../../packaging/project.ts";
import { openNotifySocket } from "../harness/notify-socket.ts";
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import { run, type Workshop } from "./workshop.ts";

/** Where Debian's cross libraries lie. */
const SYSROOT = "/usr/aarch64-linux-gnu";

/** Sends to $1 by way of node-unix-socket's own JavaScript; then what must be refused, not crash. */
const SENDER = `
const { DgramSocket } = require(${JSON.stringify(join(ROOT, "node_modules/node-unix-socket"))});
const send = (path, text, length) => new Promise((resolve) => {
  const socket = new DgramSocket();
  const bytes = Buffer.from(text);
  try {
    socket.sendTo(bytes, 0, length ?? bytes.length, path, (error) => resolve(error ? error.message : "sent"));
  } catch (error) {
    resolve(error.message);
  } finally {
    socket.close();
  }
});
(async () => {
  console.log(process.arch);
  console.log(await send(process.argv[1], "READY=1\\nSTATUS=\\uc2dc\\uac01"));
  console.log(await send(process.argv[1] + "-nobody", "READY=1"));
  console.log(await send(process.argv[1], "READY=1", 1000));
  console.log(await send("/" + "x".repeat(200), "READY=1"));
  console.log(await send("", "READY=1"));
})();
`;

const ANSWERS = [
  "sent",
  "No such file or directory",
  "offset and length go beyond the buffer",
  "a Unix socket's path has 1 to 107 bytes",
  "a Unix socket's path has 1 to 107 bytes",
];

export async function checkEmulated({ arm64 }: Workshop, check: Check): Promise<void> {
  const libexec = join(arm64.staging.directory, LIBEXEC);
  if (!existsSync(SYSROOT))
    throw new Error(`${SYSROOT} is missing: apt-get install -y libstdc++6-arm64-cross`);
  const emulate = (...args: string[]) =>
    run("qemu-aarch64", ["-L", SYSROOT, join(libexec, "node"), ...args], {
      env: { ...process.env, NODE_PATH: join(libexec, "node_modules") },
    });
  await check("the aarch64 command starts, and knows its version", async () => {
    const { stdout } = await emulate(join(libexec, "idc-helper.cjs"), "version");
    expectMatch(stdout, new RegExp(`\\b${VERSION.replaceAll(".", "\\.")}\\b`), "its answer");
  });
  await check("on aarch64 systemd hears the service, and a wrong call is an error, not a crash", async () => {
    await sendAndReceive("arm64", (path) => emulate("-e", SENDER, path));
  });
  await check("the same addon, compiled for this machine, behaves the same", async () => {
    const directory = mkdtempSync(join(tmpdir(), "idc-addon-"));
    try {
      const addon = join(directory, "unix-datagram.node");
      compileAddon(addon, targetOf(process.arch));
      // In place of the prebuilt one, which node-unix-socket would load.
      const stand = `require.cache[require.resolve(${JSON.stringify(join(ROOT, "node_modules/node-unix-socket/js/addon.js"))})] = { exports: require(${JSON.stringify(addon)}) };`;
      await sendAndReceive(process.arch, (path) => run(process.execPath, ["-e", stand + SENDER, path]));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

async function sendAndReceive(
  arch: string,
  send: (path: string) => Promise<{ stdout: string }>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "idc-notify-"));
  const path = join(directory, "notify");
  const socket = openNotifySocket(path);
  try {
    const { stdout } = await send(path);
    expectEqual(stdout.trim(), [arch, ...ANSWERS].join("\n"), "what the sender said");
    expectEqual(await socket.waitFor(/^READY=1$/), "READY=1\nSTATUS=시각", "what arrived");
  } finally {
    socket.close();
    rmSync(directory, { recursive: true });
  }
}
