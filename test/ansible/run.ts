/**
 * `node test/ansible/run.ts`: the collection rolled out to three booted machines at once by Debian's ansible-core: a fresh
 * one, one on the old cron pair, and one that fails half-way. Then upgraded in batches, and taken out again. Needs root,
 * as the tests on a booted host do. Prints a line for each check; exit status 1 when one failed.
 */
import { join } from "node:path";
import { requireTools } from "../../packaging/tools.ts";
import { type BootedRun, runOnBooted } from "../systemd/booted-run.ts";
import { PackageServer } from "../systemd/package/package-server.ts";
import { makePackages } from "../systemd/package/repository.ts";
import { checkCollection } from "./collection.ts";
import { ControlNode } from "./control-node.ts";
import { Fleet } from "./fleet.ts";
import { checkLaterLife } from "./later-life.ts";
import { checkMessages, checkNobodyTakenOut, EARLY, LATE } from "./messages.ts";
import { checkOperatorsKey } from "./operators-key.ts";
import { checkRollout } from "./rollout.ts";

async function checkAll(run: BootedRun): Promise<void> {
  const { directory, check } = run;
  const node = new ControlNode(directory, run.interrupted);
  await checkCollection(node, check);
  const packages = await makePackages(directory);
  const server = await PackageServer.start(join(packages, "now"));
  run.started(async () => server.stop());
  const fleet = await Fleet.start(run, packages, server);
  await node.writeInventory(fleet.inventory(server.url));
  await checkMessages(EARLY, node, fleet, check);
  await checkRollout(node, fleet, check);
  await checkMessages(LATE, node, fleet, check);
  await checkNobodyTakenOut(node, check);
  await checkLaterLife(node, fleet, check, () => {
    server.directory = join(packages, "later");
  });
  // Last, for it looks back on all of it.
  await checkOperatorsKey(node, fleet, check);
}

requireTools("The roll-out's test", ["ansible-playbook", "ansible-lint"]);
await runOnBooted("rollout", checkAll);
