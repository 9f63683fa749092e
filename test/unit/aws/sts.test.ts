/** What a server in place of STS may do, and what its failures are called. */
import type { RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import { serviceEndpoint } from "../../../src/aws/client.ts";
import { Failure } from "../../../src/failure.ts";
import { failureOf, url } from "./assume-role.ts";
import { sampleConfig } from "./sample-config.ts";
import { closedPort, useServers } from "./servers.ts";

const servers = useServers();

describe("a server that does not do its part", () => {
  const CASES: [string, RequestListener, string, RegExp][] = [
    ["says nothing", () => undefined, "timeout", /did not answer AssumeRole in time/],
    [
      "stops in the middle of its answer",
      (_, response) => void response.write("<Assume"),
      "timeout",
      /in time/,
    ],
    ["cuts the connection", (request) => void request.socket.destroy(), "unreachable", /ECONNRESET/],
    [
      "cuts the connection in its answer",
      (request, response) => {
        response.writeHead(200, { "content-length": 500 });
        response.write("<A", () => request.socket.destroy());
      },
      "unreachable",
      /ECONNRESET/,
    ],
    [
      "sends far too much",
      (_, response) => void response.end("x".repeat(300_000)),
      "bad_answer",
      /more than 262144 bytes/,
    ],
    [
      "answers a page",
      (_, response) => void response.end(`<html><body>${"Log in! ".repeat(5_000)}</body></html>`),
      "bad_answer",
      /not an answer of AWS|not used/,
    ],
    ["answers nothing", (_, response) => void response.end(), "bad_answer", /not an answer of AWS|not used/],
    [
      "redirects to a login page",
      (_, response) => void response.writeHead(302, { location: "http://x/" }).end(),
      "bad_answer",
      /HTTP 302/,
    ],
    [
      "is down, with a page",
      (_, response) => void response.writeHead(503).end("<html>Service\nUnavailable</html>"),
      "server_error",
      /HTTP 503/,
    ],
    [
      "is down, with nothing",
      (_, response) => void response.writeHead(500).end(),
      "server_error",
      /HTTP 500/,
    ],
    [
      "has an error in its own XML",
      (_, response) =>
        void response
          .writeHead(403, { "content-type": "text/xml" })
          .end(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
          ),
      "denied",
      /denies AssumeRole.*: no$/,
    ],
  ];
  test.each(CASES)("%s", async (_, listener, kind, message) => {
    const { port } = await servers.answering(listener);
    const failure = await failureOf(url(port), kind === "timeout" ? { requestTimeoutMs: 300 } : {});
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringMatching(message)]);
    expect(failure.message).toMatch(/^[^\n]{1,600}$/);
    expect(failure.message).not.toMatch(/geheim|Log in/);
  });

  test("is not there", async () => {
    expect(await failureOf(url(await closedPort()))).toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)$/),
    });
  });

  test("asks us to stay away for a while", async () => {
    const { port } = await servers.answering((_, response) => {
      response.writeHead(503, { "retry-after": "17" }).end();
    });
    expect((await failureOf(url(port))).report()).toMatchObject({
      kind: "server_error",
      retryAfterMs: 17_000,
    });
  });
});

describe("the endpoint to call", () => {
  const config = (sts: string | null) => sampleConfig({ endpoints: { sts, codedeploy: null } });
  test("is the config's, else the environment's, else the region's", () => {
    const env = { AWS_ENDPOINT_URL_STS: "https://sts.example" };
    expect(serviceEndpoint("sts", config("https://own.example"), env)).toBe("https://own.example");
    expect(serviceEndpoint("sts", config(null), env)).toBe("https://sts.example");
    expect(serviceEndpoint("sts", config(null), {})).toBeNull();
  });

  test("is refused where the environment's would carry credentials in the clear", () => {
    expect(() =>
      serviceEndpoint("sts", config(null), { AWS_ENDPOINT_URL_STS: "http://sts.example" }),
    ).toThrow(Failure);
  });
});
