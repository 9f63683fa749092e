/** What AssumeRole is called with, and whether it works: the host's own key, kept as tightly as it should be. */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { SERVICE_CREDENTIALS } from "../../config/paths.ts";
import { errorCode, Failure } from "../../failure.ts";
import { findGroup } from "../../host/accounts.ts";
import type { CheckGroup } from "../check.ts";
import { probeRights } from "../deep-probe.ts";
import { fail, left, pass, Unmet, unseen } from "../finding.ts";
import type { HostFacts } from "../host-facts.ts";
import {
  describeFailure,
  install,
  judgeAge,
  judgeCaller,
  judgeChain,
  judgeMode,
  judgeRights,
  judgeSession,
  mendOfRole,
  SERVICE_GROUP,
} from "../judgements/base-credentials.ts";

export const baseCredentials: CheckGroup = {
  group: "Base credentials",
  checks: [
    {
      id: "base.present",
      title: "Present",
      async run(examination) {
        const config = await examination.host.config();
        const { file, isDefault } = config.baseCredentials;
        if ((await look(file)) === null && isDefault) return judgeChain(file, await works(examination.host));
        try {
          const { source } = await examination.aws.base();
          return pass(source);
        } catch (error) {
          if (error instanceof Unmet)
            return unseen(`${file} may not be read by this user`, examination.asRoot);
          if (!(error instanceof Failure)) throw error;
          return fail(error.message, { advice: error.nextStep, mend: [install(file)] });
        }
      },
    },
    {
      id: "base.mode",
      title: "Kept from others",
      async run({ host }) {
        const { file } = (await host.config()).baseCredentials;
        if (isHandedOver(file)) return pass("systemd hands them to the service alone");
        const found = await look(file);
        if (found === null) throw new Unmet(`there is no ${file}`);
        return judgeMode(file, found, findGroup(SERVICE_GROUP));
      },
    },
    {
      id: "base.valid",
      title: "AWS accepts them",
      async run({ aws, host }) {
        const { file } = (await host.config()).baseCredentials;
        try {
          return judgeCaller(await aws.caller());
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          const isKey = error.kind.startsWith("base_credentials");
          return describeFailure(error, [isKey ? install(file) : "idc-helper refresh"]);
        }
      },
    },
    {
      id: "base.age",
      title: "Key is not old",
      async run({ aws, host }) {
        const { file } = (await host.config()).baseCredentials;
        const { identity } = await aws.base().catch(asUnmet);
        const found = await look(file);
        const isKey = found !== null && identity.sessionToken === undefined;
        if (!isKey) return pass("they are temporary ones");
        if (isHandedOver(file)) return left("systemd hands it over; its file's age is not to be seen here");
        return judgeAge(file, Date.now() - found.mtimeMs);
      },
    },
    {
      id: "base.rights",
      title: "Allowed no more than needed",
      async run(examination) {
        if (!examination.options.deep) {
          return left("not tried, because each attempt shows up in CloudTrail", {
            mend: [examination.own("doctor --deep")],
          });
        }
        const { serial } = await examination.host.config();
        return judgeRights(await probeRights(await examination.aws.connectAsBase(), serial));
      },
    },
    {
      id: "base.assume-role",
      title: "Get the role's session",
      async run({ aws, host }) {
        const config = await host.config();
        try {
          const { role, isShorter } = await aws.assumed();
          return judgeSession(role.session.sessionArn, role.lifetimeMs, isShorter, config);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          return describeFailure(error, mendOfRole(error, config));
        }
      },
    },
  ],
};

function asUnmet(error: unknown): never {
  throw error instanceof Failure ? new Unmet("there are no usable base credentials") : error;
}

async function works(host: HostFacts): Promise<boolean> {
  const reading = await host.status();
  return "status" in reading && reading.status?.state === "fresh";
}

/** @returns null where it is not there */
/** Root sees what systemd has given the service, and nobody but the two does. */
function isHandedOver(file: string): boolean {
  return dirname(file) === SERVICE_CREDENTIALS;
}

async function look(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw new Unmet(`${path} cannot be looked at (${errorCode(error)})`);
  }
}
