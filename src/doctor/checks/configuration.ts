/** The config file: valid, trusted, without keys that nobody knows. */
import { statSync } from "node:fs";
import { whoElseMayWrite } from "../../config/trust.ts";
import { errorCode } from "../../failure.ts";
import type { CheckGroup } from "../check.ts";
import { fail, left, pass, unseen, warn } from "../finding.ts";

const OTHERS_READ = 0o004;

export const configuration: CheckGroup = {
  group: "Configuration",
  checks: [
    {
      id: "config.valid",
      title: "Configuration is valid",
      async run(examination) {
        const { configPath } = examination.options;
        const reading = await examination.host.configReading();
        if ("loaded" in reading) return pass(configPath);
        const { failure, isHidden } = reading;
        if (isHidden) return unseen(`${configPath} may not be read by this user`, examination.asRoot);
        return fail(failure.message, { mend: [examination.own("check-config")] });
      },
    },
    {
      id: "config.keys",
      title: "No unknown keys",
      async run(examination) {
        const reading = await examination.host.configReading();
        if (!("loaded" in reading)) return left("not checked: the configuration is wrong");
        const { warnings } = reading.loaded;
        if (warnings.length === 0) return pass("every key is known");
        const found = warnings.map(({ line, key, message }) => `line ${line}: ${key}: ${message}`);
        return warn(found.join("; "), {
          advice: "The service goes on without them. Correct the keys, or take them out.",
          mend: [examination.own("check-config")],
        });
      },
    },
    {
      id: "config.trusted",
      title: "Only root can change it",
      async run({ options: { configPath } }) {
        const mend = [`chown root:root ${configPath}`, `chmod 0644 ${configPath}`];
        try {
          const untrusted = whoElseMayWrite(configPath);
          if (untrusted !== null)
            return fail(`${untrusted}; the service refuses such a configuration`, { mend });
          const { mode } = statSync(configPath);
          if ((mode & OTHERS_READ) === 0)
            return fail(`${configPath} may not be read by the service's user`, { mend });
          return pass("it belongs to root, and so does its directory");
        } catch (error) {
          return left(`not checked: ${errorCode(error) ?? "it cannot be looked at"}`);
        }
      },
    },
  ],
};
