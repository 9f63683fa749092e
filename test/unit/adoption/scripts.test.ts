/** What a crontab's command runs is found as text; which credentials it names, too. Nothing is run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findHints } from "../../../src/adoption/aws-hints.ts";
import { findScripts } from "../../../src/adoption/scripts.ts";
import { BASE_KEY } from "../../aws-emulator/emulator.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();

function lay(files: Record<string, string | Buffer>): void {
  mkdirSync(scratch("bin"), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(scratch(name), text);
}

async function found(command: string): Promise<string[]> {
  const place = { home: scratch(""), searchPath: scratch("bin") };
  return (await findScripts(command, place)).map(({ text }) => text);
}

describe("a script is found", () => {
  test.each([
    ["by its path", () => `${scratch("a.sh")} -v`],
    ["behind an interpreter", () => `/usr/bin/python3 "${scratch("a.sh")}"`],
    ["behind a redirection and a lock", () => `flock -n /tmp/l sh ${scratch("a.sh")}>/dev/null`],
    ["in a directory changed to", () => `cd ${scratch("")} && ./a.sh`],
    ["relative to home", () => "./a.sh; true"],
    ["by ~", () => "~/a.sh"],
    ["by $HOME", () => `bash -c '"$HOME/a.sh"'`],
    ["by name, in PATH", () => "refresh-creds --now"],
    ["by a quoted path with a space", () => `sh "${scratch("my job.sh")}" -v`],
    ["by a quoted path with a space, relative to home", () => `'./my job.sh'`],
    ["by a path with an escaped space", () => `${scratch("my\\ job.sh")} >/dev/null`],
  ])("%s", async (_, command) => {
    lay({ "a.sh": "found", "my job.sh": "found", "bin/refresh-creds": "found" });
    expect(await found(command())).toEqual(["found"]);
  });

  test("that another script runs, beside it or by its path", async () => {
    lay({ "a.sh": 'python3 "$(dirname "$0")"/b.py', "b.py": `run("${scratch("c.sh")}")`, "c.sh": "last" });
    expect((await found(scratch("a.sh"))).at(-1)).toBe("last");
  });
});

test("programs, data and endless loops of scripts are passed over", async () => {
  lay({
    "a.sh": "./a.sh ./x.yml",
    "x.yml": "aws_credentials_file: y",
    prog: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]),
  });
  expect(await found(`${scratch("prog")} ${scratch("x.yml")} ${scratch("a.sh")}`)).toHaveLength(1);
});

describe("credentials are named", () => {
  test.each([
    ["AWS_PROFILE=idc", { profiles: ["idc"] }],
    ['export AWS_PROFILE="idc"', { profiles: ["idc"] }],
    ["os.environ['AWS_PROFILE'] = 'idc'", { profiles: ["idc"] }],
    ["boto3.Session(profile_name='idc')", { profiles: ["idc"] }],
    ["aws --profile idc sts assume-role", { profiles: ["idc"] }],
    ['aws --profile "$P"', { profiles: [] }],
    ["AWS_SHARED_CREDENTIALS_FILE=~/x", { credentialsFiles: ["/home/me/x"] }],
    ["AWS_SHARED_CREDENTIALS_FILE=$HOME/x", { credentialsFiles: ["/home/me/x"] }],
    ["AWS_ACCESS_KEY_ID=$ID AWS_SECRET_ACCESS_KEY=$SECRET", { key: null }],
    ["AWS_ACCESS_KEY_ID=ASIAIDCBASE000000001 AWS_SECRET_ACCESS_KEY=x", { key: null }],
  ])("%s", (text, hints) => {
    expect(findHints([text], "/home/me")).toMatchObject(hints);
  });

  test("a key in the script itself", () => {
    const text = `AWS_ACCESS_KEY_ID=${BASE_KEY.accessKeyId}\nAWS_SECRET_ACCESS_KEY=${BASE_KEY.secretAccessKey}`;
    expect(findHints([text], "/home/me")).toMatchObject({ key: BASE_KEY });
  });
});
