/**
 * `node test/faults/secrets/watch.ts -- COMMAND [ARGUMENT…]`: runs any command, such as `make test`, and says whether a
 * secret of the tests was to be seen anywhere meanwhile (`watched-command.ts`).
 *
 * Keeps the command's exit status; 1 where that is 0 and a secret was seen. Needs Python; only root is told of each
 * process by the kernel.
 */
import { Tally } from "../../readers/tally.ts";
import { toldWatch, watchCommand } from "./watched-command.ts";

async function main(command: readonly string[]): Promise<number> {
  const watched = await watchCommand(command, process);
  console.log(`\nSecrets: ${toldWatch(watched)}`);
  const tally = new Tally();
  const record = (where: string, faults: readonly string[]) =>
    tally.record(
      `no secret in ${where}`,
      faults.length === 0 ? undefined : faults.map((each) => `\n  ${each}`).join(""),
    );
  record("the arguments of any process", watched.inArguments);
  record("the environment of any process", watched.inEnvironments);
  record("what was printed", watched.printed);
  record("what was left behind", watched.leftBehind);
  console.log(tally.summary());
  return watched.status === 0 ? tally.exitCode : watched.status;
}

const [separator, ...command] = process.argv.slice(2);
if (separator !== "--" || command.length === 0) {
  console.error("Usage: node test/faults/secrets/watch.ts -- COMMAND [ARGUMENT…]");
  process.exit(2);
}
process.exitCode = await main(command);
