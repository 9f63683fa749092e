/** What `adopt --undo` does with files: the agent's config back as it was, our own away, and the copies last. */
import { adoptionDirectory, stateFiles } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { changeUnits } from "../host/systemd.ts";
import { type ChangeStep, kept, planned } from "./change-step.ts";
import {
  isAsSaved,
  type Manifest,
  removeAdoption,
  removeSyncBackups,
  restoreFile,
  type SavedFile,
} from "./manifest.ts";
import type { Undo } from "./undo.ts";

export function savedConfig({ files, onPremisesConfigFile }: Manifest): SavedFile {
  const saved = files.find(({ path }) => path === onPremisesConfigFile);
  if (saved !== undefined) return saved;
  throw new Failure({
    kind: "cannot_write",
    message: `the manifest names no copy of ${onPremisesConfigFile}`,
    nextStep: "Write the agent's config by hand; then remove the adoption's directory.",
  });
}

export function agentConfigStep({ config: { configFile }, manifest }: Undo): ChangeStep {
  const { onPremisesConfigFile: path } = manifest;
  const isBack = () => isAsSaved(configFile, savedConfig(manifest));
  return {
    id: "agent-config",
    title: "Put the agent's config back",
    plan: async () =>
      (await isBack()) ? kept(`${path} is as it was`) : planned(`put ${path} back as it was`),
    run: async () => {
      if (await isBack()) return kept(`${path} is as it was`);
      await restoreFile(configFile, savedConfig(manifest));
      return { state: "done", detail: `${path} is as it was` };
    },
  };
}

const RELOAD_LIMIT_MS = 60_000;
const isDropIn = (path: string) => path.endsWith(".conf");

/** The config last: as long as it is there, this can be run again. Crontabs were put back line by line. */
export function filesStep({ config, manifest }: Undo): ChangeStep {
  const crontabs = new Set(manifest.jobs.map(({ file }) => file));
  const others = manifest.files.filter(
    ({ path }) => path !== manifest.onPremisesConfigFile && path !== config.configFile && !crontabs.has(path),
  );
  const files = others.concat(manifest.files.filter(({ path }) => path === config.configFile));
  const changed = async () => {
    const found = [];
    for (const file of files) if (!(await isAsSaved(config.configFile, file))) found.push(file);
    return found;
  };
  const describe = (found: SavedFile[]) =>
    found.map(({ path, backup }) => (backup === null ? `remove ${path}` : `put ${path} back`)).join(", ");
  return {
    id: "files",
    title: "Take our files away",
    plan: async () => {
      const found = await changed();
      return found.length === 0 ? kept("they are as they were") : planned(describe(found));
    },
    run: async () => {
      const found = await changed();
      for (const file of found) await restoreFile(config.configFile, file);
      // Also after a run that was cut short: whether it came to this is not known.
      if (files.some(({ path }) => isDropIn(path))) await changeUnits(RELOAD_LIMIT_MS, ["daemon-reload"], []);
      if (found.length === 0) return kept("they are as they were");
      return { state: "done", detail: found.map(({ path }) => path).join(", ") };
    },
  };
}

export function forgetStep({ config: { configFile, paths }, manifest }: Undo): ChangeStep {
  const directory = adoptionDirectory(configFile);
  return {
    id: "forget",
    title: "Remove the copies",
    plan: async () => planned(`remove ${directory}`),
    run: async () => {
      await removeSyncBackups(configFile, savedConfig(manifest));
      removeAdoption(configFile);
      return {
        state: "done",
        detail: `${directory}; what ${stateFiles(paths).credentials} holds ends by itself`,
      };
    },
  };
}
