/** The config file: valid, trusted, without keys that nobody knows. */
import { existsSync, statSync } from "node:fs";
import { whoElseMayWrite } from "../../config/trust.ts";
import { errorCode } from "../../failure.ts";
import type { CheckGroup } from "../check.ts";
import { fail, left, pass, unseen, warn } from "../finding.ts";

const OTHERS_READ = 0o004;
/** The first command of a host's life; what it lacks it says. */
const REGISTER = "idc-helper register --serial auto --region REGION --role-arn ROLE_ARN --tag KEY=VALUE";

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
        const isThere = existsSync(configPath);
        return fail(failure.message, {
          mend: [isThere ? examination.own("check-config") : REGISTER],
        });
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
          const isMissing = errorCode(error) === "ENOENT";
          return left(`not checked: ${isMissing ? "there is no such file" : "it cannot be looked at"}`);
        }
      },
    },
  ],
};
