/** What AWS, or whatever stands in its place, answers: through a real server, to the real clients. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { CodeDeploy } from "../../../../src/aws/codedeploy.ts";
import { oddPart } from "../../../../src/aws/key-text.ts";
import { type Network, openNetwork } from "../../../../src/aws/network.ts";
import { assumeRole, getCallerIdentity } from "../../../../src/aws/sts.ts";
import type { Config } from "../../../../src/config/config.ts";
import { prepareCredentialsFile } from "../../../../src/credentials/credentials-file.ts";
import { parseRubyIni } from "../../../agent/ruby-ini.ts";
import { sampleConfig } from "../../../unit/aws/sample-config.ts";
import { type Answer, type AnswerServer, openAnswerServer } from "../answer-server.ts";
import { ANSWER_CORPUS, codedeployAnswers, redirects, stsAnswers } from "../answers.ts";
import { type Judgement, kind, wellTold } from "../kind.ts";
import { word } from "../words.ts";

/** What stalls is waited for this long; the real limits are tried with the real command. */
const LIMIT_MS = 400;
const IDENTITY = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const SOURCE = 'profile "default" of /etc/base';

async function open(): Promise<{ server: AnswerServer; config: Config; network: Network; endpoint: string }> {
  const server = await openAnswerServer();
  const limits = { connectTimeoutMs: LIMIT_MS, requestTimeoutMs: LIMIT_MS };
  const config = sampleConfig({ network: { proxy: null, caBundle: null, ...limits } });
  const endpoint = `http://127.0.0.1:${server.port}`;
  return { server, config, network: await openNetwork(config, 1, {}), endpoint };
}

export const sts = kind({
  name: "sts-answer",
  title: "answers of STS, and the file that comes of them",
  inputs: { quick: 200, full: 20_000 },
  arbitrary: stsAnswers,
  corpus: [...ANSWER_CORPUS, ...redirects(0)],
  open: async (directory) => {
    const { server, config, network, endpoint } = await open();
    const path = join(directory, "credentials");
    const place = { path, profile: "default", group: null };
    return async (answer: Answer): Promise<Judgement> => {
      server.answer = toElsewhere(answer, server);
      const before = "[other]\naws_access_key_id = x\n";
      writeFileSync(path, before);
      const base = { identity: IDENTITY, source: SOURCE };
      const strays = server.elsewhere();
      try {
        const { session, lifetimeMs } = await assumeRole({
          config,
          base,
          network,
          durationMs: 3_600_000,
          endpoint,
        });
        const file = await prepareCredentialsFile(place);
        await file.commit(await file.render(session.credentials));
        if (!(lifetimeMs > 0)) return `it lasts ${lifetimeMs} ms`;
        new Date(session.expiresAt).toISOString();
        return asTheAgentReads(path, session.credentials);
      } catch (error) {
        if (server.elsewhere() !== strays) return "a redirect was followed";
        if (readFileSync(path, "utf8") !== before) return "refused, and yet the file was changed";
        const places = [
          `127.0.0.1:${server.port}`,
          "AssumeRole",
          config.roleArn,
          SOURCE,
          "the answer of STS",
          "clock is off",
        ];
        return wellTold(error, [...places, "STS is not active"]);
      } finally {
        rmSync(path, { force: true });
      }
    };
  },
});

/** A redirect in the corpus leads to a server that counts who comes. */
function toElsewhere(answer: Answer, server: AnswerServer): Answer {
  const headers = answer.headers.map(
    ([name, value]) => [name, value.replace("127.0.0.1:0", `127.0.0.1:${server.elsewherePort}`)] as const,
  );
  return { ...answer, headers };
}

interface Key {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

function asTheAgentReads(path: string, { accessKeyId, secretAccessKey, sessionToken }: Key): Judgement {
  const text = readFileSync(path, "utf8");
  if (/[^\n\x20-\x7e]/.test(text)) return `a file with other characters: ${JSON.stringify(text)}`;
  const wanted = new Map([
    ["aws_access_key_id", accessKeyId],
    ["aws_secret_access_key", secretAccessKey],
    ["aws_session_token", sessionToken],
  ]);
  const found = parseRubyIni(text);
  if (!isDeepStrictEqual(found.get("default"), wanted)) return `the agent would read ${JSON.stringify(text)}`;
  return found.size === 2 ? null : `a file with ${found.size} profiles`;
}

const OPERATIONS = ["get", "register", "addTags", "removeTags", "deregister", "findByArn", "whoAmI"] as const;

export const codedeploy = kind({
  name: "codedeploy-answer",
  title: "answers of CodeDeploy, and of STS to the operator",
  inputs: { quick: 150, full: 12_000 },
  arbitrary: fc.record({ answer: codedeployAnswers, operation: fc.constantFrom(...OPERATIONS) }),
  corpus: OPERATIONS.flatMap((operation) =>
    [...ANSWER_CORPUS, ...redirects(0)].map((answer) => ({ answer, operation })),
  ),
  open: async () => {
    const { server, config, network, endpoint } = await open();
    const caller = { identity: "operator", source: 'profile "ops"' } as const;
    const connection = { region: config.region, identity: IDENTITY, caller, network, endpoint };
    return async ({ answer, operation }): Promise<Judgement> => {
      server.answer = toElsewhere(answer, server);
      const strays = server.elsewhere();
      const client = new CodeDeploy(connection);
      const tags = [{ key: "a", value: "b" }];
      const calls: Record<(typeof OPERATIONS)[number], () => Promise<unknown>> = {
        get: () => client.get("SN-1"),
        register: () => client.register("SN-1", "arn"),
        addTags: () => client.addTags("SN-1", tags),
        removeTags: () => client.removeTags("SN-1", tags),
        deregister: () => client.deregister("SN-1"),
        findByArn: () => client.findByArn("arn"),
        whoAmI: () => getCallerIdentity(connection),
      };
      try {
        const found = await calls[operation]();
        if (operation !== "get" || found === null) return null;
        return judgeInstance(found as Awaited<ReturnType<CodeDeploy["get"]>>);
      } catch (error) {
        if (server.elsewhere() !== strays) return "a redirect was followed";
        const places = [
          `127.0.0.1:${server.port}`,
          "CodeDeploy",
          "InstanceName",
          "SN-1",
          "OnPremises",
          "CallerIdentity",
        ];
        return wellTold(error, [...places, 'profile "ops"', "clock is off", "STS is not active"]);
      } finally {
        client.close();
      }
    };
  },
});

/** As `register` compares and shows it. */
function judgeInstance(instance: Awaited<ReturnType<CodeDeploy["get"]>>): Judgement {
  if (instance === null) return null;
  const { name, arn, sessionArn, tags, registeredAt, deregisteredAt } = instance;
  const texts = [name, arn, sessionArn ?? "", ...tags.flatMap(({ key, value }) => [key, value])];
  const odd = texts.find((text) => typeof text !== "string");
  if (odd !== undefined) return `a field of another type: ${JSON.stringify(odd)}`;
  const times = [registeredAt, deregisteredAt].filter((time) => time !== null);
  return times.every((time) => !Number.isNaN(time.getTime())) ? null : "a time that is none";
}

/** A key that no request can carry must be told as the key's fault, and not the network's. */
export const baseKeys = kind({
  name: "base-key",
  title: "base credentials that no request can carry",
  inputs: { quick: 37, full: 4_000 },
  arbitrary: fc
    .record({ accessKeyId: word, secretAccessKey: word, sessionToken: fc.option(word, { nil: undefined }) })
    .filter(({ accessKeyId, secretAccessKey }) => accessKeyId !== "" && secretAccessKey !== ""),
  corpus: ["é", "\n", "\0", "a b", "a,b", "a/b", "\u2028", "x".repeat(100_000), "İ", "😀"].map((text) => {
    return { accessKeyId: text, secretAccessKey: text, sessionToken: text };
  }),
  open: async () => {
    const { server, config, network, endpoint } = await open();
    const [good] = ANSWER_CORPUS;
    if (good !== undefined) server.answer = good;
    return async ({ sessionToken, ...key }): Promise<Judgement> => {
      const identity = { ...key, ...(sessionToken === undefined ? {} : { sessionToken }) };
      // What is seen to be no key is never sent; all else must be able to be.
      if (oddPart(identity) !== null) return null;
      const base = { identity, source: SOURCE };
      try {
        await assumeRole({ config, base, network, durationMs: 3_600_000, endpoint });
        return null;
      } catch (error) {
        // The server says yes to all: what is refused was refused here, and is the key's fault.
        return wellTold(error, [SOURCE, "in time"]);
      }
    };
  },
});
