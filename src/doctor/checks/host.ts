/** The host itself: its clock, whether it is the machine that was registered, and what SELinux denies. */
import { readTail } from "../../agent/agent-log.ts";
import { formatDuration } from "../../config/duration.ts";
import { errorCode } from "../../failure.ts";
import { clonedMachine, differenceFromRegistered } from "../../registration/clone.ts";
import { findDenials } from "../audit-log.ts";
import type { CheckGroup } from "../check.ts";
import { type Finding, fail, left, pass, Unmet, unseen, warn } from "../finding.ts";
import { registerCommand } from "./registration.ts";

const SKEW_WORTH_A_WARNING_MS = 2 * 60_000;
/** SigV4 refuses more. */
const LARGEST_SKEW_MS = 5 * 60_000;

const AUDIT_LOG = "/var/log/audit/audit.log";
const AUDIT_TAIL_BYTES = 1_024 * 1_024;
const DENIALS_COUNT_FOR_MS = 24 * 3_600_000;

export const host: CheckGroup = {
  group: "Host",
  checks: [
    {
      id: "host.clock",
      title: "Clock",
      async run({ aws }) {
        const way = await aws.way("sts");
        if (way.kind !== "open") throw new Unmet("STS cannot be reached, whose clock it is compared with");
        return judgeClock(way.arrival.skewMs);
      },
    },
    {
      id: "host.machine",
      title: "The machine that registered",
      async run(examination) {
        const config = await examination.host.config();
        const reading = await examination.host.registration();
        if (reading.kind !== "read") return left("nothing was recorded at a registration to compare it with");
        const { registration } = reading;
        const difference = differenceFromRegistered(registration);
        if (difference === null) return pass("it is the one, as far as can be seen");
        const { message } = clonedMachine(config.configFile, registration, difference);
        return fail(message, {
          advice:
            "A clone needs a name of its own (first command); the same host with new hardware the second:",
          mend: [
            `${registerCommand({ ...config, serial: "auto" })} --replace`,
            `${registerCommand(config)} --same-host`,
          ],
        });
      },
    },
    {
      id: "host.selinux",
      title: "SELinux",
      async run(examination) {
        try {
          const text = await readTail(AUDIT_LOG, AUDIT_TAIL_BYTES);
          return judgeDenials(findDenials(text, Date.now() - DENIALS_COUNT_FOR_MS));
        } catch (error) {
          if (errorCode(error) === "ENOENT") return pass(`there is no ${AUDIT_LOG}: nothing is audited here`);
          return unseen(`${AUDIT_LOG} may not be read by this user`, examination.asRoot);
        }
      },
    },
  ],
};

export function judgeClock(skewMs: number | null): Finding {
  if (skewMs === null) return unseen("STS did not say what time it is", {});
  const off = Math.abs(skewMs);
  const shown = `${formatDuration(off)} ${skewMs > 0 ? "behind" : "ahead of"} AWS`;
  const remedy = { mend: ["chronyc makestep", "timedatectl set-ntp true"] };
  if (off > LARGEST_SKEW_MS) return fail(`${shown}; AWS refuses calls beyond 5 min`, remedy);
  if (off > SKEW_WORTH_A_WARNING_MS) return warn(`${shown}; from 5 min on AWS refuses every call`, remedy);
  return pass(off < 5_000 ? "agrees with AWS's" : shown);
}

export function judgeDenials(denials: readonly string[]): Finding {
  const last = denials.at(-1);
  if (last === undefined) return pass("denied nothing of ours or the agent's in the last day");
  return fail(`${denials.length} denials in the last day; the last one: ${last}`, {
    advice: "Give our files the labels of the policy; the second command shows what is left:",
    mend: [
      "restorecon -RFv /usr/libexec/idc-codedeploy-helper /etc/idc-codedeploy-helper /var/lib/idc-codedeploy-helper /etc/codedeploy-agent /opt/codedeploy-agent",
      "ausearch -m AVC -ts recent",
    ],
  });
}
