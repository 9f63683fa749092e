/** A credentials file that others use, too: what is theirs stays, byte for byte. */
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { openScene } from "../harness/scene.ts";

const BEFORE =
  "# kept by the backup team\r\n[backup]\r\naws_access_key_id = AKIABACKUP\r\naws_secret_access_key=s/e+c==\r\n\r\n";
const AFTER =
  "; and the next one\n[profile with spaces]\nrole_arn = arn:aws:iam::1:role/x\n\n[last]\naws_access_key_id=AKIALAST";

describe.concurrent("what else is in the credentials file", () => {
  it("other profiles, comments, line ends and a missing last newline are kept at every refresh", async (test) => {
    const { emulator, host } = await openScene(test);
    writeFileSync(
      host.credentialsFile,
      `${BEFORE}[default]\naws_access_key_id = OLD\naws_session_token = OLD\n\n${AFTER}`,
    );
    for (let n = 0; n < 2; n += 1) test.expect((await host.command("refresh")).code).toBe(0);
    const session = emulator.sessions.list().at(-1);
    const own = [
      "[default]",
      `aws_access_key_id = ${session?.accessKeyId}`,
      `aws_secret_access_key = ${session?.secretAccessKey}`,
      `aws_session_token = ${session?.sessionToken}`,
    ].join("\n");
    test.expect(readFileSync(host.credentialsFile, "utf8")).toBe(`${BEFORE}${own}\n\n${AFTER}`);
  });

  it("a profile of another name is added after them", async (test) => {
    const { host } = await openScene(test, { config: "credentials_file: { profile: codedeploy }\n" });
    writeFileSync(host.credentialsFile, `${BEFORE}${AFTER}`);
    await host.command("refresh");
    test
      .expect(readFileSync(host.credentialsFile, "utf8").startsWith(`${BEFORE}${AFTER}\n[codedeploy]\n`))
      .toBe(true);
  });

  it("a symbolic link in the file's place is replaced, and what it leads to is left alone", async (test) => {
    const { host } = await openScene(test);
    const elsewhere = join(host.directory, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "target"), "precious\n");
    symlinkSync(join(elsewhere, "target"), host.credentialsFile);
    test.expect((await host.command("refresh")).code).toBe(0);
    test.expect(lstatSync(host.credentialsFile).isFile()).toBe(true);
    test.expect(readFileSync(join(elsewhere, "target"), "utf8")).toBe("precious\n");
  });
});
