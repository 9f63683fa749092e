/** The credentials files: the base's, which we read, and the agent's, which we write into whatever lies there. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { findKey, loadBaseCredentials } from "../../../../src/aws/base-credentials.ts";
import type { BoundedHandler } from "../../../../src/aws/network.ts";
import { headerName, renderProfile, withoutProfile } from "../../../../src/credentials/profile-file.ts";
import { parseRubyIni } from "../../../agent/ruby-ini.ts";
import { sampleConfig } from "../../../unit/aws/sample-config.ts";
import { type Judgement, kind, wellTold } from "../kind.ts";
import { anyText, damaged } from "../words.ts";
import { INI_CORPUS, iniText, profileName } from "./ini-text.ts";

const FILE = "/etc/idc-codedeploy-helper/base-credentials";

export const baseCredentials = kind({
  name: "base-credentials",
  title: "base credentials file, its text",
  inputs: { quick: 200, full: 20_000 },
  arbitrary: fc.record({ text: iniText, profile: profileName }),
  corpus: INI_CORPUS.map((text) => ({ text, profile: "default" })),
  open:
    () =>
    ({ text, profile }): Judgement => {
      try {
        const key = findKey(text, profile, FILE);
        if (key === null) return null;
        const values = [key.accessKeyId, key.secretAccessKey, key.sessionToken ?? "x"];
        return values.every((value) => typeof value === "string" && value !== "")
          ? null
          : "half a key was taken";
      } catch (error) {
        return wellTold(error, [FILE]);
      }
    },
});

/** The SDK's own providers come into play where there is no key; no network is behind them here. */
export const baseProviders = kind({
  name: "base-providers",
  title: "base credentials file, through the SDK's providers",
  inputs: { quick: 20, full: 3_000 },
  arbitrary: iniText,
  corpus: INI_CORPUS,
  open: (directory) => {
    const file = join(directory, "base-credentials");
    const config = sampleConfig({ baseCredentials: { file, isDefault: false, profile: "default" } });
    const refuse = async () => {
      throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    };
    const handler = { metadata: { handlerProtocol: "http/1.1" }, handle: refuse, destroy: () => undefined };
    return async (text) => {
      writeFileSync(file, text);
      try {
        const { identity } = await loadBaseCredentials(config, handler as unknown as BoundedHandler);
        return identity.accessKeyId !== "" && identity.secretAccessKey !== "" ? null : "half a key was taken";
      } catch (error) {
        return wellTold(error, [file]);
      }
    };
  },
});

const CREDENTIALS = {
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: "IQoJb3JpZ2luX2VjEHwaCXVzLWVhc3QtMSJGMEQCIAexample==",
};

/** Indented, or with more than a comment behind it; white space beyond ASCII is text to some. */
const DISPUTED_HEADER = /^(?:[^\S\n]+\[[^\n]*\]|\[[^\n]*\][ \t\r\f\v]*[^ \t\r\f\v\n#;])/m;
const LONG_LINE = /[^\n]{20000}/;

export const agentsFile = kind({
  name: "credentials-file",
  title: "what lies where the agent's credentials go",
  inputs: { quick: 375, full: 40_000 },
  arbitrary: fc.record({ text: fc.oneof(iniText, damaged(iniText), anyText), profile: profileName }),
  corpus: INI_CORPUS.map((text) => ({ text, profile: "default" })),
  open:
    () =>
    ({ text, profile }): Judgement => {
      const written = renderProfile(text, profile, CREDENTIALS);
      if (renderProfile(written, profile, CREDENTIALS) !== written)
        return "written twice, it is another file";
      // The model of the reader takes its time over these, as the reader may.
      if (LONG_LINE.test(text)) return null;
      const before = parsed(text);
      const after = parsed(written);
      // What the reader refuses for the sake of another profile is not ours to mend; but we add nothing to it.
      if (after === null) return before === null ? null : "the reader refuses what was written";
      const found = after.get(profile);
      // A comment with a "=" in it is a value to the Ruby SDK, by a name that nobody asks for; an indented one stands
      // below no name at all.
      for (const key of found?.keys() ?? []) if (/^(?:[#;]|$)/.test(key)) found?.delete(key);
      const wanted = new Map([
        ["aws_access_key_id", CREDENTIALS.accessKeyId],
        ["aws_secret_access_key", CREDENTIALS.secretAccessKey],
        ["aws_session_token", CREDENTIALS.sessionToken],
      ]);
      if (!isDeepStrictEqual(found, wanted)) return `the reader sees ${JSON.stringify([...(found ?? [])])}`;
      // To the Ruby SDK `[ default ]` is a profile beside `default`; to us, and to most who write it, it is the same.
      for (const name of before?.keys() ?? []) if (headerName(`[${name}]`) === profile) before?.delete(name);
      after.delete(profile);
      // Where readers disagree on what a header is, they disagree on whose the values are.
      const isDisputed = DISPUTED_HEADER.test(text);
      if (before !== null && !isDisputed && !isDeepStrictEqual(before, after))
        return "another profile is not what it was";
      const left = parsed(withoutProfile(written, profile));
      return left?.has(profile) ? "after the removal, the profile is still there" : null;
    },
});

function parsed(text: string): ReturnType<typeof parseRubyIni> | null {
  try {
    return parseRubyIni(text);
  } catch {
    return null;
  }
}
