/**
 * A process that reads a credentials file over and over, as an SDK would, until its input ends; then it says how
 * often it read, and how often what it read was not one whole file;
 * of the first such read it tells at once.
 *
 *     node torn-reader.ts FILE
 */
import { readFileSync } from "node:fs";

const [, , path = ""] = process.argv;
const WHOLE =
  /^\[default\]\naws_access_key_id = ASIA(\d{16})\naws_secret_access_key = (\d{16})x{24}\naws_session_token = (\d{16})y{700}==\n$/;

let reads = 0;
let torn = 0;
let hasTold = false;
let ended = false;
process.stdin.on("end", () => {
  ended = true;
  process.stdout.write(JSON.stringify({ reads, torn }));
});
process.stdin.resume();
read();

/** In batches, so that the end of the input is noticed and the writer is not starved. */
function read(): void {
  for (let n = 0; n < 50; n += 1) {
    const [, first, second, third] = WHOLE.exec(readFileSync(path, "utf8")) ?? [];
    reads += 1;
    if (first === undefined || first !== second || first !== third) torn += 1;
    if (torn === 1 && !hasTold) {
      hasTold = true;
      process.stdout.write("torn\n");
    }
    if (reads === 1) process.stdout.write("reading\n");
  }
  if (!ended) setTimeout(read, 1);
}
