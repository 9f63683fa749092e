/** Answers in the name of STS and CodeDeploy: from nearly right to no HTTP at all. */
import * as fc from "fast-check";
import type { Answer } from "./answer-server.ts";
import { hostileJson } from "./json.ts";
import { anyText, damaged, word } from "./words.ts";

export const SESSION = {
  AccessKeyId: "ASIAIOSFODNN7EXAMPLE",
  SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  SessionToken: "IQoJb3JpZ2luX2VjEHwaCXVzLWVhc3QtMSJGMEQCIAexample==",
  Expiration: "2099-01-01T00:00:00Z",
  Arn: "arn:aws:sts::123456789012:assumed-role/Role/SN-1",
};
export type Fields = { [name in keyof typeof SESSION]: string };

export function sessionXml({ Arn, ...credentials }: Partial<Fields>): string {
  const fields = Object.entries(credentials).map(([name, value]) => `<${name}>${value}</${name}>`);
  const user = Arn === undefined ? "" : `<AssumedRoleUser><Arn>${Arn}</Arn></AssumedRoleUser>`;
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>${user}<Credentials>${fields.join("")}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const xmlValue = fc
  .oneof(
    word,
    fc.constantFrom(...Object.values(SESSION)),
    fc.tuple(fc.constantFrom(...Object.values(SESSION)), word).map((parts) => parts.join("")),
  )
  .chain((text) =>
    fc.constantFrom(
      text,
      escaped(text),
      `<![CDATA[${text}]]>`,
      [...text]
        .map((each) => `&#${each.codePointAt(0)};`)
        .join("")
        .slice(0, 2_000),
      `<x>${escaped(text)}</x>`,
      `${text}</x>`,
    ),
  );

const names = Object.keys(SESSION) as (keyof Fields)[];

const session = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.option(xmlValue, { nil: undefined })), {
    minLength: 1,
    maxLength: 2,
  })
  .map((changes) => sessionXml({ ...SESSION, ...Object.fromEntries(changes) }));

const CODES = [
  "AccessDenied InvalidClientTokenId SignatureDoesNotMatch ExpiredToken RequestExpired RegionDisabledException".split(
    " ",
  ),
  "ValidationError Throttling InternalFailure ServiceUnavailable __proto__ constructor toString TimeoutError AbortError".split(
    " ",
  ),
  ["ECONNREFUSED", ""],
].flat();

const errorXml = fc
  .tuple(fc.oneof(fc.constantFrom(...CODES), xmlValue), xmlValue)
  .map(
    ([code, text]) =>
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${text}</Message></Error><RequestId>x</RequestId></ErrorResponse>`,
  );

const errorJson = hostileJson([
  { __type: "com.amazonaws.codedeploy#InstanceNotRegisteredException", message: "x" },
  { __type: "AccessDeniedException", Message: "x" },
  { code: "ThrottlingException", message: "Rate exceeded" },
]);

const headerValue = word.map((text) => text.replaceAll(/[\r\n]/g, " "));
const header = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      "Date",
      "Retry-After",
      "Content-Type",
      "Content-Encoding",
      "x-amzn-RequestId",
      "x-amzn-errortype",
      "x-amzn-query-error",
      "x-amzn-query-mode",
      "X-Amz-Crc32",
      "Location",
      "Connection",
      "Transfer-Encoding",
      "Upgrade",
      "smithy-protocol",
    ),
    headerValue,
  ),
  fc.tuple(
    fc.constantFrom("Date"),
    fc.constantFrom(
      "Sat, 28 Nov 2026 03:00:00 GMT",
      "Thu, 01 Jan 1970 00:00:00 GMT",
      "Fri, 31 Dec 9999 23:59:59 GMT",
      "275760-09-14",
      "0",
      "nonsense",
    ),
  ),
  fc.tuple(
    fc.constantFrom("Retry-After"),
    fc.constantFrom("0", "1", "99999999999999999999", "-1", "Fri, 31 Dec 9999 23:59:59 GMT", "1e9"),
  ),
  fc.tuple(fc.constantFrom("x-many"), fc.constantFrom("y".repeat(8_000), "z".repeat(200_000))),
  fc.tuple(
    fc.constantFrom("Content-Type"),
    fc.constantFrom(
      "text/html",
      "application/json",
      "application/x-amz-json-1.1",
      "text/xml; charset=utf-16",
      "application/cbor",
      "multipart/x",
    ),
  ),
) as fc.Arbitrary<readonly [string, string]>;

const status = fc.oneof(
  { arbitrary: fc.constantFrom("200 OK", "400 Bad Request", "403 Forbidden", "500 X", "503 X"), weight: 6 },
  {
    arbitrary: fc.constantFrom(
      "100 Continue",
      "101 Switching Protocols",
      "103 Early Hints",
      "204 No Content",
      "206 X",
      "301 Moved",
      "304 X",
      "307 X",
      "401 X",
      "404 X",
      "407 X",
      "408 X",
      "413 X",
      "418 X",
      "429 X",
      "502 X",
      "504 X",
      "599 X",
      "600 X",
      "999 X",
      "000 X",
      "20 X",
      "2000 X",
      "x",
      "",
    ),
    weight: 2,
  },
);

const bytes = (text: string) => Buffer.from(text, "utf8");
const binary = fc.uint8Array({ maxLength: 64 });

export function answersOf(texts: fc.Arbitrary<string>): fc.Arbitrary<Answer> {
  const body = fc.oneof(
    { arbitrary: texts.map(bytes), weight: 10 },
    { arbitrary: damaged(texts).map(bytes), weight: 3 },
    // Bytes that are no UTF-8, in the middle of what else would be right.
    {
      arbitrary: fc
        .tuple(texts, fc.nat(), binary)
        .map(([text, at, piece]) =>
          Buffer.concat([bytes(text).subarray(0, at % 500), piece, bytes(text).subarray(at % 500)]),
        ),
      weight: 2,
    },
    { arbitrary: fc.oneof(binary, anyText.map(bytes)), weight: 1 },
    {
      arbitrary: fc.constantFrom(
        bytes("<html><body>Please log in</body></html>"),
        bytes(""),
        bytes("\x1f\x8b\x08\x00"),
      ),
      weight: 1,
    },
  );
  return fc.record({
    status,
    headers: fc.array(header, { maxLength: 3 }),
    body,
    delivery: fc.oneof(
      { arbitrary: fc.constantFrom("whole" as const, "chunked" as const), weight: 60 },
      { arbitrary: fc.constantFrom("cut" as const, "bare" as const), weight: 3 },
      { arbitrary: fc.constantFrom("stalled" as const, "none" as const, "silent" as const), weight: 1 },
    ),
  });
}

export const stsAnswers = answersOf(
  fc.oneof(
    { arbitrary: session, weight: 5 },
    { arbitrary: errorXml, weight: 2 },
    { arbitrary: errorJson, weight: 1 },
  ),
);

const INFO = {
  instanceName: "SN-1",
  instanceArn: "x",
  iamSessionArn: SESSION.Arn,
  tags: [{ Key: "a", Value: "b" }],
  registerTime: 1_790_000_000,
};
const codedeployJson = hostileJson([
  { instanceInfo: INFO },
  { instanceInfos: [INFO, { instanceName: "y" }] },
  { instanceNames: ["SN-1", "x"] },
  {},
]);
export const codedeployAnswers = answersOf(
  fc.oneof(
    { arbitrary: codedeployJson, weight: 4 },
    { arbitrary: errorJson, weight: 2 },
    { arbitrary: errorXml, weight: 1 },
  ),
);

const whole = (status: string, body: string | Uint8Array, headers: Answer["headers"] = []): Answer => {
  return { status, headers, body: typeof body === "string" ? bytes(body) : body, delivery: "whole" };
};

/** Entities that would make gigabytes of a line. */
const XML_BOMB = `<!DOCTYPE x [<!ENTITY a0 "${"x".repeat(100)}">${Array.from({ length: 9 }, (_, level) => `<!ENTITY a${level + 1} "${`&a${level};`.repeat(10)}">`).join("")}]>${sessionXml({ ...SESSION, SessionToken: "&a9;" })}`;

export const ANSWER_CORPUS: readonly Answer[] = [
  whole("200 OK", sessionXml(SESSION)),
  whole("200 OK", XML_BOMB),
  whole("200 OK", `<!DOCTYPE x SYSTEM "file:///etc/passwd">${sessionXml(SESSION)}`),
  whole(
    "200 OK",
    `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${sessionXml({ ...SESSION, SessionToken: "&a;" })}`,
  ),
  whole("200 OK", "<a>".repeat(80_000)),
  whole("200 OK", `${"<a>".repeat(30_000)}${"</a>".repeat(30_000)}`),
  whole("200 OK", `<a ${'b="c" '.repeat(40_000)}/>`),
  whole("200 OK", `<${"a".repeat(200_000)}>`),
  whole("200 OK", "<!--".repeat(60_000)),
  whole("200 OK", "<![CDATA[".repeat(25_000)),
  whole("200 OK", "&".repeat(250_000)),
  whole("200 OK", `<a>${"&lt;".repeat(60_000)}</a>`),
  whole("200 OK", "{".repeat(250_000)),
  whole("200 OK", "[".repeat(250_000)),
  whole("200 OK", `{"instanceInfo":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  whole("400 X", JSON.stringify({ __type: "X", message: { a: 1 } })),
  whole("400 X", JSON.stringify({ __type: ["X"], message: ["y"] })),
  whole("400 X", JSON.stringify({ __type: 5, message: 5 })),
  whole("400 X", "null"),
  whole("400 X", '"x"'),
  whole("400 X", "[]"),
  whole("200 OK", "null"),
  whole("200 OK", '{"instanceInfo":"x"}'),
  whole("200 OK", '{"instanceInfo":{"tags":"x","registerTime":"x"}}'),
  whole("200 OK", '{"instanceInfo":{"tags":[null],"registerTime":1e300}}'),
  whole("200 OK", '{"instanceNames":"abc","instanceInfos":"abc"}'),
  whole("200 OK", '{"instanceNames":[null],"instanceInfos":[null]}'),
  whole("200 OK", '{"instanceNames":[],"nextToken":"again"}'),
  whole("200 OK", `{"instanceNames":[${Array(20_000).fill('"x"').join(",")}]}`),
  whole(
    "403 X",
    `<ErrorResponse><Error><Code>AccessDenied</Code><Message>${"<b>".repeat(50_000)}</Message></Error></ErrorResponse>`,
  ),
  whole(
    "403 X",
    "<ErrorResponse><Error><Code>AccessDenied</Code><Code>Throttling</Code><Message>a</Message><Message>b</Message></Error></ErrorResponse>",
  ),
  whole(
    "403 X",
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message><x>y</x></Message></Error></ErrorResponse>",
  ),
  whole("403 X", "<ErrorResponse><Error/></ErrorResponse>"),
  whole("403 X", "<ErrorResponse><Error><Code/></Error></ErrorResponse>"),
  whole("503 X", "x", [["Retry-After", "99999999999999999999999"]]),
  whole("503 X", "x", [["Retry-After", "-5"]]),
  whole("200 OK", sessionXml({ ...SESSION, Expiration: "275760-09-13T00:00:00Z" })),
  whole("200 OK", sessionXml({ ...SESSION, Expiration: "+275760-09-13T00:00:00Z" })),
  whole("200 OK", sessionXml({ ...SESSION, Expiration: "9999-12-31T23:59:59Z" })),
  whole("200 OK", sessionXml({ ...SESSION, Expiration: "1e9" })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "x\n[default]\naws_access_key_id = y" })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "x&#10;[default]&#10;aws_access_key_id = y" })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "x ;y" })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "#x" })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "=x" })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "x".repeat(8_192) })),
  whole("200 OK", sessionXml({ ...SESSION, SessionToken: "x".repeat(8_193) })),
  whole("200 OK", sessionXml(SESSION), [["Content-Encoding", "gzip"]]),
  whole(
    "200 OK",
    sessionXml(SESSION),
    Array.from({ length: 3_000 }, (_, index) => [`x-${index}`, "y"] as const),
  ),
  whole("200 OK", sessionXml(SESSION), [["x", "y".repeat(1_000_000)]]),
  whole("200 OK", sessionXml(SESSION), [["Date", "275760-09-14"]]),
  { status: "200 OK", headers: [], body: bytes("SSH-2.0-OpenSSH_9\r\n"), delivery: "bare" },
  { status: "200 OK", headers: [], body: bytes("HTTP/1.1 200 OK\r\n".repeat(10_000)), delivery: "bare" },
  {
    status: "200 OK",
    headers: [],
    body: bytes("HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000)),
    delivery: "bare",
  },
  { status: "200 OK", headers: [], body: bytes(""), delivery: "silent" },
  { status: "200 OK", headers: [], body: bytes("x"), delivery: "stalled" },
  { status: "200 OK", headers: [], body: bytes("x"), delivery: "none" },
];

export function redirects(port: number): Answer[] {
  return ["301 Moved", "302 Found", "303 X", "307 X", "308 X", "300 X"].map((status) => {
    return whole(status, sessionXml(SESSION), [["Location", `http://127.0.0.1:${port}/`]]);
  });
}
