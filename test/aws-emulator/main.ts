/**
 * The emulator as a process of its own. Prints one line of JSON once it listens, `{"url", "httpsUrl",
 * "controlUrl"}`, and stops on SIGTERM or SIGINT.
 *
 *     node test/aws-emulator/main.ts --port 0 --time-factor 60 [--tls-key FILE --tls-cert FILE]
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { EmulatorOptions } from "./emulator.ts";
import { startEmulator } from "./emulator.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "time-factor": { type: "string", default: "1" },
    account: { type: "string" },
    "tls-key": { type: "string" },
    "tls-cert": { type: "string" },
  },
});

const tlsKey = values["tls-key"];
const tlsCert = values["tls-cert"];
if ((tlsKey === undefined) !== (tlsCert === undefined))
  throw new Error("--tls-key and --tls-cert go together");

const options: EmulatorOptions = {
  port: Number(values.port),
  timeFactor: Number(values["time-factor"]),
  ...(values.account === undefined ? {} : { account: values.account }),
  ...(tlsKey === undefined || tlsCert === undefined
    ? {}
    : { tls: { key: readFileSync(tlsKey, "utf8"), cert: readFileSync(tlsCert, "utf8") } }),
};

const emulator = await startEmulator(options);
const { url, httpsUrl, controlUrl } = emulator;
process.stdout.write(`${JSON.stringify({ url, httpsUrl, controlUrl })}\n`);

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void emulator.close());
