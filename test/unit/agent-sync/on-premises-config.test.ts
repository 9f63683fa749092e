/** The agent's on-premises config: told apart by meaning, mended with a backup, and no key ever shown. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { desiredConfig } from "../../../src/agent/desired-config.ts";
import {
  type Difference,
  readOnPremisesConfig,
  repairOnPremisesConfig,
} from "../../../src/agent/on-premises-config.ts";
import { sampleConfig } from "../aws/sample-config.ts";
import { underLimit } from "../host/another-user.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const ARN = "arn:aws:sts::123456789012:assumed-role/Role/SN-1";
const DESIRED = desiredConfig(sampleConfig());
const RIGHT = `iam_session_arn: ${ARN}\naws_credentials_file: /var/lib/x/credentials\nregion: ap-northeast-2\n`;
const path = () => scratch("on.yml");

async function differencesOf(text: string): Promise<Difference[] | string> {
  writeFileSync(path(), text);
  const reading = await readOnPremisesConfig(path(), DESIRED);
  return reading.kind === "read" ? reading.differences : reading.kind;
}

describe("a config that means the same is left alone, whatever its bytes", () => {
  test.each([
    ["as we write it", RIGHT],
    ["with a document marker and comments", `---\n# by hand\n${RIGHT}`],
    ["with quotes", RIGHT.replace("ap-northeast-2", '"ap-northeast-2"').replace(ARN, `'${ARN}'`)],
    ["in another order", RIGHT.split("\n").reverse().join("\n")],
    ["in flow style", `{${RIGHT.trim().split("\n").join(", ")}}`],
    ["with carriage returns", RIGHT.replaceAll("\n", "\r\n")],
    ["with a key that the agent does not know", `${RIGHT}colour: blue\n`],
  ])("%s", async (_, text) => {
    expect(await differencesOf(text)).toEqual([]);
  });
});

describe("drift is named key by key", () => {
  const wanted = {
    iam_session_arn: ARN,
    aws_credentials_file: "/var/lib/x/credentials",
    region: "ap-northeast-2",
  };
  test.each([
    [
      "another serial",
      RIGHT.replace("SN-1", "SN-2"),
      [{ key: "iam_session_arn", found: `${ARN.slice(0, -1)}2`, wanted: ARN }],
    ],
    [
      "another region",
      RIGHT.replace("ap-northeast-2", "us-east-1"),
      [{ key: "region", found: "us-east-1", wanted: "ap-northeast-2" }],
    ],
    [
      "a key missing",
      RIGHT.replace(/region.*\n/, ""),
      [{ key: "region", found: null, wanted: "ap-northeast-2" }],
    ],
    [
      "a key that is a list",
      RIGHT.replace("ap-northeast-2", "[a]"),
      [{ key: "region", found: "(not text)", wanted: "ap-northeast-2" }],
    ],
    [
      "a user's ARN beside it",
      `${RIGHT}iam_user_arn: arn:aws:iam::1:user/x\n`,
      [{ key: "iam_user_arn", found: "arn:aws:iam::1:user/x", wanted: null }],
    ],
    [
      "an empty mapping",
      "{}\n",
      Object.entries(wanted).map(([key, value]) => ({ key, found: null, wanted: value })),
    ],
  ])("%s", async (_, text, expected) => {
    expect(await differencesOf(text)).toEqual(expected);
  });

  test.each(["", "- a\n", "hello\n", "a: [\n", `${RIGHT}region: x\n`, "a: &x 1\nb: *x\n"])(
    "a file that is no mapping of keys (%j) is drift as a whole",
    async (text) => {
      expect(await differencesOf(text)).toEqual([
        {
          key: "(whole file)",
          found: "not a YAML mapping",
          wanted: "iam_session_arn, aws_credentials_file, region",
        },
      ]);
    },
  );

  test("an IAM user's key, which an old registration left there, is never shown", async () => {
    const text = `iam_user_arn: arn:aws:iam::1:user/x\naws_access_key_id: AKIAGEHEIM\naws_secret_access_key: geheim\nregion: x\n`;
    const differences = await differencesOf(text);
    expect(JSON.stringify(differences)).not.toMatch(/geheim/i);
    expect(differences).toContainEqual({ key: "aws_secret_access_key", found: "***", wanted: null });
    expect(differences).toContainEqual({ key: "aws_access_key_id", found: "***", wanted: null });
  });
});

describe("what cannot be read is neither right nor drift", () => {
  test("a link, a directory, a FIFO, a file far too large", async () => {
    writeFileSync(scratch("real"), RIGHT);
    symlinkSync("real", scratch("link"));
    mkdirSync(scratch("directory"));
    execFileSync("mkfifo", [scratch("fifo")]);
    writeFileSync(scratch("large"), `${RIGHT}# ${"x".repeat(100_000)}`);
    for (const name of ["link", "directory", "fifo", "large"]) {
      expect(await readOnPremisesConfig(scratch(name), DESIRED)).toMatchObject({ kind: "unreadable" });
    }
  });

  test("a missing file is missing", async () => {
    expect(await readOnPremisesConfig(path(), DESIRED)).toEqual({ kind: "missing" });
  });
});

describe("a repair", () => {
  const repair = async (text: string | null, now = new Date("2026-11-22T10:00:00.123Z")) => {
    if (text !== null) writeFileSync(path(), text, { mode: 0o666 });
    return repairOnPremisesConfig(path(), DESIRED, await readOnPremisesConfig(path(), DESIRED), now);
  };

  test("leaves what the agent wants, readable by the user that it runs as", async () => {
    await repair("region: x\n");
    expect(load(readFileSync(path(), "utf8"))).toEqual(DESIRED);
    expect(statSync(path()).mode & 0o777).toBe(0o644);
    expect(await readOnPremisesConfig(path(), DESIRED)).toMatchObject({ kind: "read", differences: [] });
  });

  test("keeps the old file beside it under its time, private, byte for byte", async () => {
    const old = "iam_user_arn: x\r\naws_secret_access_key: geheim # é\n\n";
    const backup = await repair(old);
    expect(backup).toBe(`${path()}.20261122T100000123Z.bak`);
    expect(readFileSync(backup ?? "", "utf8")).toBe(old);
    expect(statSync(backup ?? "").mode & 0o777).toBe(0o600);
  });

  test("whose backup finds no room leaves no half of one, which would push out whole ones", () => {
    const old = `region: x # ${"x".repeat(3_000)}\n`;
    writeFileSync(path(), old);
    const imports = `import { readOnPremisesConfig, repairOnPremisesConfig } from "SRC/agent/on-premises-config.ts";
      const [path, desired] = ${JSON.stringify([path(), DESIRED])};`;
    const repairing = `readOnPremisesConfig(path, desired)
      .then((old) => repairOnPremisesConfig(path, desired, old, new Date()))
      .catch(({ code }) => code)`;
    expect(underLimit(imports, repairing, "ulimit -f 1;")).toBe("EFBIG");
    expect([readdirSync(scratch()), readFileSync(path(), "utf8")]).toEqual([["on.yml"], old]);
  });

  test("of a missing file keeps nothing", async () => {
    expect(await repair(null)).toBeNull();
    expect(readdirSync(scratch())).toEqual(["on.yml"]);
  });

  test("that recurs keeps the ten latest backups, and no stranger's file is removed", async () => {
    const strangers = [
      "on.yml.bak",
      "on.yml.20261122.bak",
      "on.yml.20200101T000000000Z.bak.old",
      "xon.yml.20200101T000000000Z.bak",
      "onXyml.20200101T000000000Z.bak",
    ];
    for (const name of strangers) writeFileSync(scratch(name), "");
    for (let second = 0; second < 14; second += 1) {
      await repair(`region: r${second}\n`, new Date(Date.UTC(2026, 10, 22, 10, 0, second)));
    }
    const names = readdirSync(scratch()).filter((name) => !strangers.includes(name) && name !== "on.yml");
    expect(names).toHaveLength(10);
    expect(names.map((name) => readFileSync(scratch(name), "utf8")).sort()[0]).toBe("region: r10\n");
    expect(readFileSync(scratch("on.yml.20261122T100013000Z.bak"), "utf8")).toBe("region: r13\n");
    expect(readdirSync(scratch())).toEqual(expect.arrayContaining(strangers));
  });
});
