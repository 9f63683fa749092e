/** The file itself: there or not, readable or not, and who may write it. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { asAnotherUser } from "../host/another-user.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { errorOf, load, withLines } from "./config-file.ts";

const scratch = useScratchDirectory();
const isRoot = process.geteuid?.() === 0;

async function refusal(path: string): Promise<string> {
  const { issues } = await errorOf(path);
  expect(issues).toMatchObject([{ file: path, line: 1, key: "" }]);
  return issues[0]?.message ?? "";
}

describe("a config file that cannot be used is one clear error", () => {
  test("when it is missing", async () => {
    expect(await refusal(scratch("none.yaml"))).toMatch(/^there is no such file.*--config/);
  });

  test("when it is a directory", async () => {
    mkdirSync(scratch("config.yaml"));
    expect(await refusal(scratch("config.yaml"))).toContain("is not a regular file");
  });

  test("when it is a FIFO that nobody writes to, without waiting for one", async () => {
    execFileSync("mkfifo", [scratch("config.yaml")]);
    expect(await refusal(scratch("config.yaml"))).toContain("is not a regular file");
  });

  test("when it has ten megabytes", async () => {
    writeFileSync(scratch("config.yaml"), withLines(`# ${"x".repeat(10 * 1_024 * 1_024)}`));
    expect(await refusal(scratch("config.yaml"))).toContain("larger than 262144 bytes");
  });

  test("when it is a link that leads in a circle", async () => {
    symlinkSync("config.yaml", scratch("config.yaml"));
    expect(await refusal(scratch("config.yaml"))).toMatch(/cannot be read: .*link/);
  });

  test("when this user may not read it", () => {
    writeFileSync(scratch("config.yaml"), withLines(), { mode: 0o000 });
    const script = `load({ path: ${JSON.stringify(scratch("config.yaml"))}, unknownKeys: "error", requireTrusted: false, env: {} })`;
    const said = asAnotherUser(
      scratch(),
      `import { loadConfig as load } from "SRC/config/load.ts";`,
      `${script}.catch((e) => e.message)`,
    );
    expect(said).toBe(`${scratch("config.yaml")}:1: cannot be read: permission denied`);
  });
});

test("a link that configuration management made is followed", async () => {
  writeFileSync(scratch("real.yaml"), withLines());
  symlinkSync(scratch("real.yaml"), scratch("config.yaml"));
  expect((await load(scratch("config.yaml"))).config.serial).toBe("serial-ABCDEFG");
});

describe.skipIf(!isRoot)("in a service, a config that others than root may change is refused", () => {
  beforeEach(() => {
    mkdirSync(scratch("etc"), { mode: 0o755 });
    chmodSync(scratch("etc"), 0o755);
    writeFileSync(scratch("etc", "config.yaml"), withLines(), { mode: 0o644 });
  });
  const path = () => scratch("etc", "config.yaml");
  const verdict = (file = path()) =>
    load(file, { requireTrusted: true }).then(
      () => "trusted",
      (error: Error) => error.message,
    );

  test("and one that only root may change is not", async () => {
    expect(await verdict()).toBe("trusted");
  });

  const CASES: [string, string, (file: string, directory: string) => void][] = [
    ["another owner", "belongs to user 65534", (file) => chownSync(file, 65_534, 0)],
    ["everyone", "may be written by everyone (mode 0646)", (file) => chmodSync(file, 0o646)],
    [
      "a group",
      "may be written by group 65534 (mode 0664)",
      (file) => {
        chownSync(file, 0, 65_534);
        chmodSync(file, 0o664);
      },
    ],
    ["the directory's owner", "etc belongs to user 65534", (_, directory) => chownSync(directory, 65_534, 0)],
    [
      "everyone, through the directory",
      "etc may be written by everyone (mode 0777)",
      (_, directory) => chmodSync(directory, 0o777),
    ],
    [
      "a group, through the directory",
      "etc may be written by group 65534",
      (_, directory) => {
        chownSync(directory, 0, 65_534);
        chmodSync(directory, 0o775);
      },
    ],
  ];
  test.each(CASES)("changed by %s", async (_, message, spoil) => {
    spoil(path(), scratch("etc"));
    const said = await verdict();
    expect(said).toContain(`${path()}:1: refused in a service: `);
    expect(said).toContain(message);
    expect(said).toContain("chmod 0644");
  });

  test("through the directory that a link leads to", async () => {
    mkdirSync(scratch("home"));
    chownSync(scratch("home"), 65_534, 65_534);
    writeFileSync(scratch("home", "real.yaml"), withLines(), { mode: 0o644 });
    symlinkSync(scratch("home", "real.yaml"), scratch("etc", "link.yaml"));
    expect(await verdict(scratch("etc", "link.yaml"))).toContain("home belongs to user 65534");
  });

  test("through a link of another user in a directory that all may write", async () => {
    chmodSync(scratch("etc"), 0o1777);
    symlinkSync(path(), join(scratch("etc"), "link.yaml"));
    spawnSync("chown", ["-h", "65534", join(scratch("etc"), "link.yaml")]);
    expect(await verdict(scratch("etc", "link.yaml"))).toContain("link.yaml belongs to user 65534");
  });

  test("but not for a sticky directory, where nobody can replace root's file, nor for group root", async () => {
    chmodSync(scratch("etc"), 0o1777);
    chmodSync(path(), 0o664);
    expect(await verdict()).toBe("trusted");
  });

  test("while an operator's own command reads it all the same", async () => {
    chmodSync(path(), 0o666);
    expect((await load(path())).config.serial).toBe("serial-ABCDEFG");
  });
});
