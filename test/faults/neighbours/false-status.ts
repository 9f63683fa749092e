/** What root's commands make of a status file that its owner has written as he likes. */
import type { Status } from "../../../src/report/status.ts";
import { type Ledger, noneOf } from "./ledger.ts";
import { type RegisteredHost, RUNTIME } from "./registered-host.ts";

const FILE = `${RUNTIME}/status.json`;
/** Clears the screen, sets the title, turns text round, rings, and goes on in another line. */
const COMMANDS_TO_A_TERMINAL = "\u001b[2J\u001b]0;owned\u0007\u202eOK\u009b31m\r\nidc-helper: all is well";

export async function checkFalseStatus(it: RegisteredHost, ledger: Ledger, isFull: boolean): Promise<void> {
  await ledger.promise(
    "a status file written by a thief, read by root's status and doctor: crashes, hangs, control characters passed on to the terminal",
    "0",
    async () => {
      const text = await it.host.machine.sh(`cat ${FILE}`);
      await it.stopService();
      const faults: string[] = [];
      const commands = isFull ? [["status"], ["status", "--json"], ["doctor"]] : [["status"], ["doctor"]];
      for (const [what, content] of falsehoods(JSON.parse(text), isFull)) {
        ledger.count("false statuses");
        await it.asService(`rm -rf ${FILE}; cat >${FILE}`, content);
        for (const command of commands)
          await it.asRoot(command).catch((error: Error) => faults.push(`${what}: ${error.message}`));
      }
      await it.clean();
      return noneOf(faults);
    },
  );
}

function falsehoods(real: Status, isFull: boolean): [string, string][] {
  const failing = { kind: "denied", message: "x", next_step: "y", since: real.updated_at };
  const told: Status = { ...real, failure: failing, warnings: [{ code: "a", message: "b", next_step: "c" }] };
  const found: [string, string][] = [
    ["commands to a terminal in every text", JSON.stringify(withText(told, COMMANDS_TO_A_TERMINAL))],
    ["nothing but its schema", '{"schema":1}'],
    ["1 MB", JSON.stringify({ ...real, serial: "x".repeat(1_000_000) })],
    ["control characters for JSON", `{"schema":1,\u001b[2J`],
  ];
  const wrong: unknown[] = isFull ? [null, 5, "x", [], {}, [null], { toString: 1 }] : [null, 5];
  const keys = isFull ? Object.keys(real) : ["agent", "pid"];
  for (const key of keys)
    for (const value of wrong)
      found.push([`${key}: ${JSON.stringify(value)}`, JSON.stringify({ ...told, [key]: value })]);
  return found;
}

/** Each text that is no time replaced. */
function withText(value: unknown, text: string): unknown {
  if (typeof value === "string") return Number.isNaN(Date.parse(value)) ? text : value;
  if (Array.isArray(value)) return value.map((each) => withText(each, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withText(each, text)]));
}
