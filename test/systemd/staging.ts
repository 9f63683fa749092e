/** What is put on a machine before it boots: a stand-in agent, and the product as a package would lay it out. */
import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { BASE_KEY } from "../aws-emulator/emulator.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LIBEXEC = "usr/libexec/idc-codedeploy-helper";

/** A path in the staging directory, whose directory is made. */
type At = (path: string) => string;

function openStaging(directory: string): At {
  mkdirSync(directory, { mode: 0o755 });
  return (path) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    return join(directory, path);
  };
}

/** The agent and nothing of ours, but a directory with what is to be installed, at /srv/packages, and RHEL's ways. */
export async function stageBare(directory: string, packages: string): Promise<void> {
  const at = openStaging(directory);
  await stageAgent(at);
  cpSync(packages, at("srv/packages"), { recursive: true });
  cpSync(join(packages, "now/idc-codedeploy-helper.repo"), at("etc/yum.repos.d/idc-codedeploy-helper.repo"));
  symlinkSync("dnf", at("usr/bin/yum"));
  writeFileSync(at("etc/dnf/vars/releasever"), "9\n");
  // The agent's own runtime: ours comes and goes with the package.
  cpSync(process.execPath, at("opt/stand-in/node"));
  // Over reboots, for whoever must find out why a run failed.
  mkdirSync(at("var/log/journal"), { recursive: true });
}

/** The agent, and the product from dist/. */
export async function stage(directory: string): Promise<void> {
  const at = openStaging(directory);
  cpSync(join(ROOT, "dist"), at(LIBEXEC), { recursive: true });
  cpSync(join(ROOT, "systemd/reload-agent"), at(`${LIBEXEC}/reload-agent`));
  mkdirSync(at("usr/bin"), { recursive: true });
  symlinkSync("../libexec/idc-codedeploy-helper/idc-helper", at("usr/bin/idc-helper"));
  for (const name of readdirSync(join(ROOT, "systemd"))) {
    const isUnit = /\.(service|path|d)$/.test(name) && !/^(sysusers|tmpfiles)\.d$/.test(name);
    if (isUnit) {
      cpSync(join(ROOT, "systemd", name), at(`usr/lib/systemd/system/${name}`), { recursive: true });
    }
  }
  for (const name of ["sysusers.d", "tmpfiles.d"]) {
    cpSync(join(ROOT, "systemd", name), at(`usr/lib/${name}`), { recursive: true });
  }
  for (const name of readdirSync(join(ROOT, "systemd")).filter((each) => each.endsWith(".catalog"))) {
    cpSync(join(ROOT, "systemd", name), at(`usr/lib/systemd/catalog/${name}`));
  }
  const { accessKeyId, secretAccessKey } = BASE_KEY;
  writeFileSync(
    at("etc/idc-codedeploy-helper/base-credentials"),
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    { mode: 0o640 },
  );
  await stageAgent(at);
  symlinkSync(`/${LIBEXEC}/node`, at("opt/stand-in/node"));
}

async function stageAgent(at: At): Promise<void> {
  // The journal of a failed run is read from outside; nothing of it may be dropped.
  writeFileSync(at("etc/systemd/journald.conf.d/test.conf"), "[Journal]\nRateLimitIntervalSec=0\n");
  await build({
    entryPoints: ["codedeploy-agent", "worker-process"].map((name) => join(ROOT, `test/agent/${name}.ts`)),
    outdir: at("opt/stand-in/built"),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    logLevel: "warning",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  // The master starts its worker by this name.
  for (const name of ["codedeploy-agent", "worker-process"]) {
    renameSync(at(`opt/stand-in/built/${name}.js`), at(`opt/stand-in/${name}.ts`));
  }
  writeFileSync(at("opt/stand-in/package.json"), '{ "type": "module" }\n');
  cpSync(fileURLToPath(new URL("stand-in", import.meta.url)), at("opt/stand-in"), { recursive: true });
  for (const name of ["start", "stop", "codedeploy-agent.init"]) chmodSync(at(`opt/stand-in/${name}`), 0o755);
  mkdirSync(at("etc/codedeploy-agent/conf"), { recursive: true });
  mkdirSync(at("var/log/aws"), { recursive: true });
  mkdirSync(at("opt/codedeploy-agent"), { recursive: true });
  writeFileSync(at("usr/lib/sysusers.d/codedeploy.conf"), "u codedeploy - - /opt/codedeploy-agent\n");
}
