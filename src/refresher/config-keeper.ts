/** The configuration in force: changed only by one that has been read and found good as a whole. */
import type { Config } from "../config/config.ts";
import { errorText } from "../failure.ts";
import type { Log } from "../report/log.ts";
import { makePlan, type Plan } from "./plan.ts";

export class ConfigKeeper {
  #config: Config;
  #loadedAtMs = Date.now();
  #rejected: string | null = null;
  readonly #log: Log;
  readonly #env: NodeJS.ProcessEnv;

  constructor(config: Config, log: Log, env: NodeJS.ProcessEnv) {
    this.#config = config;
    this.#log = log;
    this.#env = env;
  }

  get config(): Config {
    return this.#config;
  }

  get loadedAtMs(): number {
    return this.#loadedAtMs;
  }

  /** What is wrong with the file as it is now, while an older reading of it is in force; else null. */
  get rejected(): string | null {
    return this.#rejected;
  }

  /**
   * Reads the file anew; a wrong one is reported, and the old one stays in force.
   *
   * @returns the new plan and whether it says something else than before, or null when it was rejected
   */
  async reload(): Promise<{ plan: Plan; isOther: boolean } | null> {
    const file = this.#config.configFile;
    try {
      const plan = await makePlan(file, this.#env);
      this.#rejected = null;
      this.#loadedAtMs = Date.now();
      this.#log.info("config_reloaded", { file });
      for (const message of plan.warnings) this.#log.warn("config_unknown_key", { message });
      return { plan, isOther: this.#adopt(plan.config) };
    } catch (error) {
      this.#rejected = errorText(error);
      const nextStep = "The old configuration stays in force. Run: idc-helper check-config";
      this.#log.error("config_rejected", { file, message: this.#rejected, next_step: nextStep });
      return null;
    }
  }

  /** Locks and open requests lie in the directories: they stay where they are until a restart. */
  #adopt(config: Config): boolean {
    const { paths } = this.#config;
    if (JSON.stringify(config.paths) !== JSON.stringify(paths)) {
      const message = `paths in ${config.configFile} changed; everything else is in force now`;
      const nextStep = "Run: systemctl restart idc-codedeploy-helper";
      this.#log.warn("config_needs_restart", { message, next_step: nextStep });
    }
    const next = { ...config, paths };
    const isOther = JSON.stringify(next) !== JSON.stringify(this.#config);
    this.#config = next;
    this.#log.setLevel(config.log.level);
    return isOther;
  }
}
