/**
 * The fourth question: does the stand-in's INI reader see in any file what the Ruby SDK's parser sees?
 *
 * Files are put together at random from pieces that such files hold, and from pieces that they should not.
 */
import { isDeepStrictEqual } from "node:util";
import { type IniProfile, parseRubyIni } from "../agent/ruby-ini.ts";
import { runScript } from "./external-process.ts";
import type { Programs } from "./requirements.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { Tally } from "./tally.ts";

const TEXTS = 2000;
const SEED = 20_260_131;

const LINES = [
  "[default]",
  "[default] # ours",
  "[default] ; ours",
  " [default]",
  "[profile deploy]",
  "[ default ]",
  "[]",
  "[a]b]",
  "",
  "   ",
  "# comment",
  "; comment",
  " ; comment",
  "aws_access_key_id = KEY",
  "aws_access_key_id=KEY",
  "aws_access_key_id =",
  "aws_access_key_id = ",
  "aws_secret_access_key = a/b+c==",
  'aws_session_token = "C=="',
  "aws_session_token = C== ;old",
  "aws_session_token = C==;old",
  "aws_session_token = C== # new",
  "s3 =",
  "  max_concurrent_requests = 10",
  "\tregion = eu-west-1",
  " = value",
  "= value",
  "no equals sign",
  "a = b = c",
  "key with spaces = value with spaces",
  "naïve = ünï\u2028code\u00a0",
] as const;
const ENDINGS = ["\n", "\n", "\n", "\r\n", " \n", "\t\n", "\r", ""] as const;

type Parsed = Record<string, Record<string, string | Record<string, string>>>;

export async function checkIniParsers(
  { ruby }: Programs,
  env: NodeJS.ProcessEnv,
  tally: Tally,
): Promise<void> {
  const random = new SeededRandom(SEED);
  const texts = Array.from({ length: TEXTS }, () => randomText(random));
  const originals = await runScript<(Parsed | null)[]>(ruby, "parse-ini.rb", env, { texts });
  const faults = texts.flatMap((text, index) => difference(text, originals[index] ?? null) ?? []);
  tally.record(`stand-in and original see the same in ${TEXTS} random INI files`, faults[0]);
}

function difference(text: string, original: Parsed | null): string | undefined {
  const standIn = parsed(text);
  if (isDeepStrictEqual(standIn, original)) return undefined;
  const [seen, expected] = [standIn, original].map((value) => JSON.stringify(value));
  return `${JSON.stringify(text)} is ${seen} to the stand-in, ${expected} to the original`;
}

function randomText(random: SeededRandom): string {
  const lines = Array.from(
    { length: random.integer(0, 12) },
    () => random.pick(LINES) + random.pick(ENDINGS),
  );
  return (random.chance(0.8) ? "[default]\n" : "") + lines.join("");
}

/** The file as the stand-in sees it, in JSON's shape; null where it refuses the file. */
function parsed(text: string): Parsed | null {
  try {
    return Object.fromEntries([...parseRubyIni(text)].map(([name, profile]) => [name, plain(profile)]));
  } catch {
    return null;
  }
}

function plain(profile: IniProfile): Parsed[string] {
  return Object.fromEntries(
    [...profile].map(([key, value]) => [key, typeof value === "string" ? value : Object.fromEntries(value)]),
  );
}
