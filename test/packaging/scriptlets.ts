/** The scriptlets of both packages, as the packages carry them, held against the shells that will run them. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../systemd/checks.ts";
import { runToEnd } from "../systemd/process.ts";
import { run, type Workshop } from "./workshop.ts";

const RPM_TAGS = ["PREIN", "POSTIN", "PREUN", "POSTUN", "POSTTRANS"] as const;
/** RHEL's sh is bash, Debian's dash. */
const SHELLS = [["bash", "--posix"], ["dash"], ["busybox", "sh"]];

export async function checkScriptlets({ directory, x64, deb }: Workshop, check: Check): Promise<void> {
  const scripts = new Map<string, string>();
  for (const tag of RPM_TAGS) {
    scripts.set(`%${tag.toLowerCase()}`, (await run("rpm", ["-qp", "--qf", `%{${tag}}`, x64.rpm])).stdout);
  }
  const control = join(directory, "control");
  mkdirSync(control);
  await run("dpkg-deb", ["--control", deb, control]);
  for (const name of readdirSync(control)) {
    const text = readFileSync(join(control, name), "utf8");
    if (text.startsWith("#!")) scripts.set(name, text);
  }
  await check(`all ${scripts.size} scriptlets are there, and every sh can read them`, async () => {
    expectEqual([...scripts.keys()].join(" "), EXPECTED, "the list of scriptlets");
    for (const [name, text] of scripts) {
      for (const [shell = "", ...args] of SHELLS) {
        const { code, output } = await runToEnd(shell, [...args, "-n"], { input: text });
        expectEqual(code, 0, `${shell} on ${name}`, output);
      }
    }
  });
  await check("no scriptlet starts, enables or reloads what it should leave alone", async () => {
    // What they tell the administrator to do is another matter.
    const all = [...scripts.values()].join("\n").replaceAll(/^\s*echo .*$/gm, "");
    expectNoMatch(all, /systemctl (--\S+ )*(start|restart|enable|reload)\b/, "the scriptlets");
    expectNoMatch(all, /codedeploy-agent\.service/, "the scriptlets");
    expectMatch(all, /try-restart/, "the scriptlets");
  });
}

const EXPECTED = "%prein %postin %preun %postun %posttrans postinst postrm prerm";
