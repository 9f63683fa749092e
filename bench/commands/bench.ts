/** What an operator types most, beside bare Node. */
import { startEmulator } from "../../test/aws-emulator/emulator.ts";
import { COMMAND } from "../../test/harness/launch.ts";
import { ScratchHost } from "../../test/harness/scratch-host.ts";
import { cleanEnvironment } from "../../test/readers/external-process.ts";
import { atMost, type Bench, type Outcome, table } from "../findings.ts";
import { compare, comparedRows } from "../processes/compare.ts";
import { NODE } from "../refresh/contestants.ts";

const ROUNDS = 21;
const LIMIT = 2.5;

export const bench: Bench = { title: "Commands", run };

async function run({ directory }: { directory: string }): Promise<Outcome> {
  const emulator = await startEmulator();
  const host = new ScratchHost({ endpoint: emulator.url, parent: directory });
  try {
    host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "the first refresh");
    const ours = (...args: string[]) => ({
      name: `idc-helper ${args[0]}`,
      argv: [COMMAND, ...args],
      env: host.env,
      // status warns: no agent has answered here.
      exitCodes: [0, 1],
    });
    const compared = await compare(
      [
        { name: "node -e 0 (the floor)", argv: [NODE, "-e", "0"], env: cleanEnvironment(directory) },
        ours("status", "--config", host.configFile),
        ours("--help"),
        ours("version"),
      ],
      { rounds: ROUNDS },
    );
    return {
      findings: compared
        .filter(({ name }) => /status|--help/.test(name))
        .map(({ name, wallRatio }) =>
          atMost(`${name}: wall time, in times of bare Node's`, LIMIT, wallRatio),
        ),
      more: table(comparedRows(compared)),
    };
  } finally {
    await host.close();
    await emulator.close();
  }
}
