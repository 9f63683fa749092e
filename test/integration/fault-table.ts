/** Every way in which the emulator can fail an AssumeRole, and what we must call it. */
import type { FailureKind } from "../../src/failure.ts";
import { BASE_KEY, type Emulator } from "../aws-emulator/emulator.ts";
import { FAULT_KINDS, type FaultKind, type FaultSpec } from "../aws-emulator/faults/fault.ts";

export interface FaultCase {
  /** How the test's name tells it. */
  fault: string;
  kind: FailureKind;
  /** A person must read this much in the message. */
  says: RegExp;
  /** And this in the next step. */
  advises: RegExp;
  begin(emulator: Emulator): void | Promise<void>;
  end(emulator: Emulator): void | Promise<void>;
}

/** What a test of these gives the host: attempts that hang end soon. */
export const SHORT_TIMEOUTS = "network: { connect_timeout: 1s, request_timeout: 1s }\n";

type Expectation = Pick<FaultCase, "kind" | "says" | "advises"> & { settings?: Partial<FaultSpec> };

const AGAIN = /tried again/;
const throttled = { kind: "throttled", says: /throttles AssumeRole/, advises: AGAIN } as const;
const serverError = { kind: "server_error", says: /HTTP 50[03]/, advises: AGAIN } as const;
const reset = { kind: "unreachable", says: /cannot be reached/, advises: /proxy/ } as const;
const timeout = { kind: "timeout", says: /did not answer AssumeRole in time/, advises: /network/ } as const;
const notAws = {
  kind: "bad_answer",
  says: /is not an answer of AWS/,
  advises: /login or block page/,
} as const;
const badAnswer = (says: RegExp) =>
  ({ kind: "bad_answer", says, advises: /answers in place of STS/ }) as const;

/** A wrong clock alone fails nothing (wrong-clock.test.ts). */
type FailingKind = Exclude<FaultKind, "clock-wrong">;
const FAILING_KINDS = FAULT_KINDS.filter((kind) => kind !== "clock-wrong");

const BY_KIND: Record<FailingKind, Expectation> = {
  throttle: throttled,
  "request-limit-exceeded": throttled,
  "error-500": serverError,
  "error-503-html": serverError,
  "error-503-empty": serverError,
  garbage: notAws,
  deny: { kind: "denied", says: /denies AssumeRole on arn:aws:iam:/, advises: /trust policy/ },
  "region-disabled": { kind: "denied", says: /not active in this region/, advises: /account settings/ },
  "huge-body": { ...notAws, says: /more than \d+ bytes/, settings: { megabytes: 2 } },
  redirect: { ...notAws, says: /HTTP 302/ },
  exception: serverError,
  hang: timeout,
  reset,
  "hang-mid-body": timeout,
  "reset-mid-body": reset,
  truncated: notAws,
  "missing-field": badAnswer(/no SessionToken/),
  "wrong-session-arn": badAnswer(/someone-else, but arn:.* was expected/),
  "expired-answer": badAnswer(/already passed/),
  "bad-date": { ...notAws, says: /could not be parsed/ },
  "newline-in-token": badAnswer(/SessionToken holds a character/),
  "ini-syntax-in-token": badAnswer(/SessionToken holds a character/),
  slow: { ...timeout, settings: { delayMs: 3_000 } },
};

const key = (state: "expired" | "invalid", expected: Expectation): FaultCase => ({
  fault: `an ${state} base key`,
  ...expected,
  begin: (emulator) => emulator.keys.setState(BASE_KEY.accessKeyId, state),
  end: (emulator) => emulator.keys.setState(BASE_KEY.accessKeyId, "active"),
});

export const FAULT_CASES: readonly FaultCase[] = [
  ...FAILING_KINDS.map((kind): FaultCase => {
    const { settings, ...expected } = BY_KIND[kind];
    return {
      fault: kind,
      ...expected,
      begin: ({ faults }) => void faults.set({ match: { service: "sts" }, kind, ...settings }),
      end: ({ faults }) => faults.clear(),
    };
  }),
  key("expired", { kind: "base_credentials_expired", says: /have expired/, advises: /Renew them/ }),
  key("invalid", { kind: "base_credentials_invalid", says: /does not accept/, advises: /active in IAM/ }),
  {
    fault: "STS down",
    ...reset,
    says: /ECONNREFUSED/,
    begin: (emulator) => emulator.down(),
    end: (emulator) => emulator.up(),
  },
];
