/** What deregister takes away beyond the usual places. */
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { filesToRemove } from "../../../src/registration/removal.ts";
import { sampleConfig } from "../aws/sample-config.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();

test("the metrics file goes: an exporter would go on telling of a host that is no more", async () => {
  const textfile = scratch("idc_helper.prom");
  const directory = dirname(textfile);
  const paths = { stateDir: directory, runtimeDir: directory, agentRuntimeDir: directory };
  const config = sampleConfig({ configFile: scratch("config.yaml"), metrics: { textfile }, paths });
  expect(await filesToRemove(config, null)).toEqual([]);
  writeFileSync(textfile, "idc_helper_running 0\n");
  expect(await filesToRemove(config, null)).toEqual([textfile]);
});
