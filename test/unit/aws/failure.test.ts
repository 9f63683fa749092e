/** What AWS or the network said, turned into what an operator can do. */
import { describe, expect, test } from "vitest";
import { classifyAwsError } from "../../../src/aws/failure.ts";
import { AnswerTooLargeError } from "../../../src/aws/network.ts";
import type { CallContext } from "../../../src/aws/verdicts.ts";
import { Failure, needsAPerson } from "../../../src/failure.ts";

const context: CallContext = {
  action: "AssumeRole",
  where: "sts.ap-northeast-2.amazonaws.com",
  caller: { identity: "base", source: 'profile "default" of /etc/base' },
  resource: "arn:aws:iam::123456789012:role/Role",
  skewMs: null,
};

/** As the SDK throws what a service answered. */
function serviceError(code: string, status: number, message = "the service's words") {
  return Object.assign(new Error(message), {
    name: code,
    Code: code,
    $fault: status < 500 ? "client" : "server",
    $metadata: { httpStatusCode: status, attempts: 1 },
  });
}
const systemError = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code });
const classify = (error: unknown, changes: Partial<CallContext> = {}) =>
  classifyAwsError(error, { ...context, ...changes });

describe("secrets that AWS or a proxy quotes are not passed on", () => {
  const secret = "sEcReT/+wJalrXUtnFEMI/K7MDENG/bPxRfiCYEX";
  const token = `IQoJb3JpZ2luX2Vj${"aB3/+".repeat(120)}==`;

  test.each(["SignatureDoesNotMatch", "AccessDenied", "ValidationError", "Throttling", "ExpiredToken"])(
    "%s, with the canonical string in it",
    (code) => {
      const quoted = `The Canonical String for this request should have been 'POST / x-amz-security-token:${token}' ${secret}`;
      const { message } = classify(serviceError(code, 400, quoted), { secrets: [secret, token] });
      expect(message).toContain("x-amz-security-token:***' ***");
      expect(message).not.toContain("IQoJ");
    },
  );

  test("a token that is not ours, and the rest of the words stays", () => {
    const words = `The security token ${token} included in the request is invalid`;
    const { message } = classify(serviceError("InvalidClientTokenId", 403, words));
    expect(message).toContain("The security token *** included in the request is invalid");
  });

  test("a long role's name is none", () => {
    const arn = `arn:aws:iam::123456789012:role/${"deep/".repeat(15)}${"R".repeat(20)}`;
    expect(classify(serviceError("AccessDenied", 403, `not on ${arn}`)).message).toContain(arn);
  });
});

describe("codes of AWS", () => {
  test.each([
    ["AccessDenied", 403, "denied", "trust policy"],
    ["AccessDeniedException", 403, "denied", "trust policy"],
    ["NotAuthorized", 400, "denied", "trust policy"],
    ["OptInRequired", 403, "denied", ""],
    ["RegionDisabledException", 403, "denied", "Activate it under IAM"],
    ["InvalidClientTokenId", 403, "base_credentials_invalid", "Check that the key is active"],
    ["UnrecognizedClientException", 403, "base_credentials_invalid", "Check that the key is active"],
    ["SignatureDoesNotMatch", 403, "base_credentials_invalid", "copied whole"],
    ["IncompleteSignature", 400, "base_credentials_invalid", ""],
    ["MissingAuthenticationToken", 403, "base_credentials_invalid", ""],
    ["ExpiredToken", 403, "base_credentials_expired", "Renew them"],
    ["ExpiredTokenException", 400, "base_credentials_expired", "Renew them"],
    ["RequestExpired", 400, "clock_off", "chronyc"],
    ["RequestTimeTooSkewed", 403, "clock_off", "chronyc"],
    ["ValidationError", 400, "role_or_duration_not_allowed", "session_duration"],
    ["Throttling", 400, "throttled", "splay"],
    ["ThrottlingException", 400, "throttled", "splay"],
    ["RequestLimitExceeded", 503, "throttled", "splay"],
    ["TooManyRequestsException", 429, "throttled", "splay"],
    ["SomethingNew", 429, "throttled", "splay"],
    ["InternalFailure", 500, "server_error", "Nothing to do"],
    ["ServiceUnavailable", 503, "server_error", "Nothing to do"],
    ["SomethingNew", 400, "bad_answer", "proxy's login or block page"],
    ["constructor", 400, "bad_answer", "proxy's login or block page"],
    ["toString", 200, "bad_answer", "proxy's login or block page"],
  ])("%s with HTTP %s is %s", (code, status, kind, step) => {
    const failure = classify(serviceError(code, status));
    expect(failure.kind).toBe(kind);
    expect(failure.message).not.toBe("");
    expect(failure.nextStep).toContain(step);
  });

  test.each([
    "Signature expired: 20261122T100000Z is now earlier than 20261122T110000Z",
    "Signature not yet current: 20261122T120000Z is still later than 20261122T110000Z",
  ])("a signature refused for its time is the clock's fault: %s", (message) => {
    const error = serviceError("SignatureDoesNotMatch", 403, message);
    expect(classify(error, { skewMs: 3_600_000 })).toMatchObject({
      kind: "clock_off",
      message: `this host's clock is off by about 3600 s (behind AWS): ${message}`,
    });
    expect(classify(error, { skewMs: -420_400 }).message).toContain("420 s (ahead of AWS)");
    expect(classify(error).message).toContain("clock is off: ");
  });

  test("the message names the role, or where the base credentials came from, and AWS's own words", () => {
    expect(classify(serviceError("AccessDenied", 403)).message).toBe(
      `AWS denies AssumeRole on ${context.resource}: the service's words`,
    );
    expect(classify(serviceError("InvalidClientTokenId", 403)).message).toContain(
      'profile "default" of /etc/base',
    );
  });
});

describe("errors of the network", () => {
  test.each([
    ..."ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH EPIPE ENOTFOUND EAI_AGAIN"
      .split(" ")
      .map((code) => [code, "unreachable"]),
    ["ETIMEDOUT", "timeout"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["CERT_NOT_YET_VALID", "tls"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
    ["EPROTO", "tls"],
    ["HPE_INVALID_CONSTANT", "bad_answer"],
  ])("%s is %s", (code = "", kind) => {
    const failure = classify(systemError(code));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(context.where);
    expect(failure.nextStep).not.toBe("");
  });

  test.each(["TimeoutError", "AbortError"])("%s is a timeout", (name) => {
    expect(classify(Object.assign(new Error("x"), { name })).kind).toBe("timeout");
  });

  test.each(["ECONNRESET", "EPIPE"])("%s, which the SDK calls a timeout, is none", (code) => {
    expect(classify(Object.assign(systemError(code), { name: "TimeoutError" })).kind).toBe("unreachable");
  });

  test("several addresses that all refused are one unreachable host", () => {
    const error = new AggregateError([systemError("ECONNREFUSED"), systemError("ENETUNREACH")]);
    expect(classify(error)).toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});

describe("whatever is thrown becomes a failure of one line", () => {
  const page = `<html>\n<head>\r\n\t<title>Blocked</title>\x1b[31m${"<p>text</p>\n".repeat(500)}`;
  test.each([
    ["a page as the message", serviceError("AccessDenied", 403, page)],
    ["a page as the message of a TLS error", Object.assign(new Error(page), { code: "EPROTO" })],
    ["a page without a code", Object.assign(new Error(page), { $metadata: { httpStatusCode: 200 } })],
    ["a syntax error", new SyntaxError(`Unexpected token\n${page}`)],
    ["an answer too large", new AnswerTooLargeError("more than 262144 bytes")],
    ["a text", page],
    ["undefined", undefined],
    ["null", null],
  ])("%s", (_, thrown) => {
    const { message, kind } = classify(thrown);
    expect(message).toMatch(/^[^\p{Cc}]{1,700}$/u);
    expect(["denied", "tls", "bad_answer"]).toContain(kind);
  });
});

describe("Retry-After", () => {
  const throttledFor = (value: string | undefined) =>
    classify(
      Object.assign(serviceError("Throttling", 400), {
        $response: { statusCode: 400, headers: { "retry-after": value } },
      }),
    );

  test.each([
    ["30", 30_000],
    ["0", undefined],
    ["-5", undefined],
    ["soon", undefined],
    ["Thu, 01 Jan 1970 00:00:00 GMT", undefined],
    [undefined, undefined],
  ])("of %j is %s ms", (value, ms) => {
    expect(throttledFor(value).retryAfterMs).toBe(ms);
  });

  test("as a date is the time until then", () => {
    const ms = throttledFor(new Date(Date.now() + 600_000).toUTCString()).retryAfterMs ?? 0;
    expect(ms).toBeGreaterThan(500_000);
    expect(ms).toBeLessThanOrEqual(600_000);
  });
});

test("a failure of our own passes as it is", () => {
  const failure = new Failure({ kind: "bad_answer", message: "m", nextStep: "n" });
  expect(classify(failure)).toBe(failure);
});

test("what only a person can mend is told from what mends itself", () => {
  expect(
    ["denied", "base_credentials_invalid", "config", "role_or_duration_not_allowed"].map((kind) =>
      needsAPerson(kind as "denied"),
    ),
  ).toEqual([true, true, true, true]);
  expect(
    ["unreachable", "timeout", "throttled", "tls", "clock_off", "cannot_write"].some((kind) =>
      needsAPerson(kind as "tls"),
    ),
  ).toBe(false);
});
