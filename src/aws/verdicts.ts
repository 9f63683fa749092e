/** What each error code of AWS means here: a kind for programs, a sentence for a person, and that person's next step. */
import type { FailureKind } from "../failure.ts";

export interface CallContext {
  /** What was called, for messages: `AssumeRole`. */
  action: string;
  /** Host, with the proxy if any. */
  where: string;
  /** Whose credentials signed it, and where those came from. */
  caller: Caller;
  /** What it was called on, for messages: a role's ARN, an instance name. */
  resource: string;
  /** The server's clock minus ours in milliseconds, where an answer told it. */
  skewMs: number | null;
  /** What the call was signed with, which AWS may quote; none where it was not signed. */
  secrets?: readonly string[];
}

export interface Caller {
  /** `base`: what AssumeRole is called with; `operator`: a person's; `session`: what the agent uses. */
  identity: "base" | "operator" | "session";
  source: string;
}

const CALLER_NAMES: Record<Caller["identity"], string> = {
  base: "base credentials",
  operator: "operator's credentials",
  session: "session credentials",
};

export function describeCaller({ identity, source }: Caller): string {
  return `the ${CALLER_NAMES[identity]} (${source})`;
}

export interface Verdict {
  kind: FailureKind;
  message: string;
  nextStep: string;
}

export type Judge = (context: CallContext, text: string) => Verdict;

const credentialsInvalid: Judge = ({ caller }, text) => ({
  kind: caller.identity === "operator" ? "operator_credentials_invalid" : "base_credentials_invalid",
  message: `AWS does not accept ${describeCaller(caller)}: ${text}`,
  nextStep:
    caller.identity === "operator"
      ? "Check them with: aws sts get-caller-identity; or choose others with --profile."
      : "Check that the key is active in IAM and was copied whole; then replace it.",
});

const credentialsExpired: Judge = ({ caller }, text) => ({
  kind: caller.identity === "operator" ? "operator_credentials_expired" : "base_credentials_expired",
  message: `${describeCaller(caller)} have expired: ${text}`,
  nextStep:
    caller.identity === "operator"
      ? "Log in again (aws sso login, or fetch new temporary credentials) and run the command once more."
      : "Renew them, or see why what renews them (credential_process, SSO) no longer does.",
});

export const clockOff: Judge = ({ skewMs }, text) => ({
  kind: "clock_off",
  message: `this host's clock is off${skewMs === null ? "" : ` by about ${Math.round(Math.abs(skewMs) / 1_000)} s (${skewMs > 0 ? "behind" : "ahead of"} AWS)`}: ${text}`,
  nextStep: "Set the clock and keep it set: chronyc tracking, or timedatectl.",
});

/** What looks at other hosts' instances. */
const LOOKING: ReadonlySet<string> = new Set(["ListOnPremisesInstances", "BatchGetOnPremisesInstances"]);

const denied: Judge = ({ resource, action, caller }, text) => ({
  kind: "denied",
  message: `AWS denies ${action} on ${resource}: ${text}`,
  nextStep:
    caller.identity === "operator"
      ? `Let the operator call codedeploy:${action}; ${LOOKING.has(action) ? "it is needed only to find out whose an ARN is, so the policy that idc-helper iam prints leaves it out" : "idc-helper iam prints the whole policy"}.`
      : "Let the base identity call sts:AssumeRole on this role, and name the identity in the role's trust policy.",
});

const regionDisabled: Judge = (_, text) => ({
  kind: "denied",
  message: `STS is not active in this region for the account: ${text}`,
  nextStep: "Activate it under IAM, account settings, or use another region.",
});

const notAllowed: Judge = ({ resource }, text) => ({
  kind: "role_or_duration_not_allowed",
  message: `STS refuses what was asked of ${resource}: ${text}`,
  nextStep: "Correct role_arn, serial or session_duration in the configuration.",
});

/** What the service does is tried again by itself; a person's command is not. */
export function passes({ caller }: CallContext, otherwise: string): string {
  return caller.identity === "operator" ? "It passes: run the same command again in a minute." : otherwise;
}

export const throttled: Judge = (context, text) => ({
  kind: "throttled",
  message: `AWS throttles ${context.action}: ${text}`,
  nextStep: passes(
    context,
    "Nothing to do: it is tried again, later each time. If many hosts see it, spread them with splay: auto.",
  ),
});

const conflict: Judge = (_, text) => ({ kind: "conflict", message: text, nextStep: "" });

const notRegistered: Judge = ({ resource }, text) => ({
  kind: "not_registered",
  message: `${resource} is not registered with CodeDeploy: ${text}`,
  nextStep: "Register it: idc-helper register",
});

const invalidRequest: Judge = ({ action, resource }, text) => ({
  kind: "invalid_request",
  message: `CodeDeploy refuses ${action} on ${resource}: ${text}`,
  nextStep: "Correct the serial, the role or the tags that were given.",
});

const limitExceeded: Judge = ({ action, resource }, text) => ({
  kind: "limit_exceeded",
  message: `CodeDeploy refuses ${action} on ${resource}: ${text}`,
  nextStep: "An on-premises instance has at most 10 tags: remove some, or give fewer.",
});

/** Codes: STS API reference, "Common errors"; CodeDeploy's service model; FACTS, "AWS". */
export const BY_CODE: ReadonlyMap<string, Judge> = new Map(
  Object.entries({
    AccessDenied: denied,
    AccessDeniedException: denied,
    NotAuthorized: denied,
    OptInRequired: denied,
    RegionDisabledException: regionDisabled,
    RegionDisabled: regionDisabled,
    InvalidClientTokenId: credentialsInvalid,
    UnrecognizedClientException: credentialsInvalid,
    IncompleteSignature: credentialsInvalid,
    MissingAuthenticationToken: credentialsInvalid,
    SignatureDoesNotMatch: credentialsInvalid,
    InvalidSignatureException: credentialsInvalid,
    ExpiredToken: credentialsExpired,
    ExpiredTokenException: credentialsExpired,
    RequestExpired: clockOff,
    RequestTimeTooSkewed: clockOff,
    ValidationError: notAllowed,
    ValidationException: notAllowed,
    Throttling: throttled,
    ThrottlingException: throttled,
    ThrottledException: throttled,
    RequestLimitExceeded: throttled,
    RequestThrottled: throttled,
    TooManyRequestsException: throttled,
    SlowDown: throttled,
    // CodeDeploy, of the calls on on-premises instances (its service model).
    InstanceNameAlreadyRegisteredException: conflict,
    IamSessionArnAlreadyRegisteredException: conflict,
    IamUserArnAlreadyRegisteredException: conflict,
    InstanceNotRegisteredException: notRegistered,
    InstanceNameRequiredException: invalidRequest,
    InvalidInstanceNameException: invalidRequest,
    IamArnRequiredException: invalidRequest,
    IamUserArnRequiredException: invalidRequest,
    InvalidIamSessionArnException: invalidRequest,
    InvalidIamUserArnException: invalidRequest,
    MultipleIamArnsProvidedException: invalidRequest,
    InvalidTagException: invalidRequest,
    TagRequiredException: invalidRequest,
    TagLimitExceededException: limitExceeded,
    InstanceLimitExceededException: limitExceeded,
  }),
);
