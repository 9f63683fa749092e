/** The files that we write into whatever lies there, read by the programs that read them on a host. */
import * as fc from "fast-check";
import { renderProfile } from "../../../src/credentials/profile-file.ts";
import { cleanEnvironment, run, runScript } from "../../readers/external-process.ts";
import type { Finding } from "../campaign.ts";
import { iniText } from "./kinds/ini-text.ts";

const KEYS = {
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: "IQoJb3JpZ2luX2VjEHwaCXVzLWVhc3QtMSJGMEQCIAexample==",
};

/** As botocore reads it (configloader.py), which needs nothing but Python's own parser. */
const AS_BOTOCORE = `
import configparser, json, sys
def read(text):
    parser = configparser.RawConfigParser(default_section=None)
    try:
        parser.read_string(text)
        return dict(parser.items("default")) if parser.has_section("default") else {}
    except (configparser.Error, UnicodeDecodeError) as error:
        return None
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`;

type Profile = Record<string, unknown> | null | undefined;

const isOurs = (profile: Profile) =>
  profile?.aws_access_key_id === KEYS.accessKeyId &&
  profile.aws_secret_access_key === KEYS.secretAccessKey &&
  profile.aws_session_token === KEYS.sessionToken;

/**
 * A reader that refuses the old file for another profile's sake refuses the new one, too: that is not ours to mend. What
 * must never be: a file that it took before and refuses now, or one in which it finds another key under our profile.
 */
export async function checkReaders(seed: number, count: number, directory: string): Promise<Finding[]> {
  const before = fc.sample(iniText, { seed, numRuns: count }).map((text) => text.toWellFormed());
  const after = before.map((text) => renderProfile(text, "default", KEYS));
  const env = cleanEnvironment(directory);
  const ruby = async (texts: string[]) =>
    (await runScript<(Record<string, Profile> | null)[]>("ruby", "parse-ini.rb", env, { texts })).map(
      (profiles) => profiles && (profiles.default ?? {}),
    );
  const python = async (texts: string[]) => {
    const { exitCode, stdout, stderr } = await run(
      "python3",
      ["-c", AS_BOTOCORE],
      env,
      JSON.stringify(texts),
    );
    if (exitCode !== 0) throw new Error(stderr.trim());
    return JSON.parse(stdout) as Profile[];
  };
  return [
    await compare("the AWS SDK for Ruby", ruby),
    await compare("Python's parser, as botocore uses it", python),
  ];

  async function compare(name: string, read: (texts: string[]) => Promise<Profile[]>): Promise<Finding> {
    const what = `files that ${name} took before our profile was written into them, and then refuses or reads amiss`;
    const target = "0";
    try {
      const [old, written] = [await read(before), await read(after)];
      const taken = old.filter((profile) => profile !== null).length;
      const wrong = after.filter((_, index) => old[index] !== null && !isOurs(written[index]));
      const found = `${wrong.length} of ${taken}`;
      const detail = wrong
        .slice(0, 3)
        .map((text) => JSON.stringify(text.slice(0, 300)))
        .join("\n");
      return { what, target, found, isMet: wrong.length === 0 && taken > 0, detail };
    } catch (error) {
      const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      return { what, target, found: `not known: ${why.slice(0, 200)}`, isMet: false };
    }
  }
}
