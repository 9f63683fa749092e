/**
 * The control node: Debian's own ansible-core, with the collection built and installed as Galaxy would, an inventory of the
 * booted machines, and the operator's identity in its environment alone.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BASE_KEY, OPERATOR_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { type Host, REGION } from "../systemd/host.ts";
import { PLACE } from "../systemd/package/repository.ts";
import { type Ended, runToEnd } from "../systemd/process.ts";

const COLLECTION = fileURLToPath(new URL("../../packaging/ansible", import.meta.url));
const LIMIT_MS = 600_000;

/** In ssh's place: the last argument is the command, the one before it the machine, named by its first process. */
const SSH = `#!/bin/sh
for word do machine=$command; command=$word; done
exec nsenter --target "\${machine#pid-}" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 sh -c "$command"
`;

export interface Member {
  serial: string;
  host: Host;
}

export class ControlNode {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, "control");
    mkdirSync(this.#directory);
    writeFileSync(join(this.#directory, "ssh"), SSH, { mode: 0o755 });
  }

  async installCollection(): Promise<string> {
    const built = await this.#run("ansible-galaxy", [
      ...["collection", "build", "--output-path", this.#directory, COLLECTION],
    ]);
    const archive = /at (\S+\.tar\.gz)/.exec(built.stdout)?.[1];
    if (archive === undefined) throw new Error(`the collection could not be built:\n${built.output}`);
    const place = ["--collections-path", join(this.#directory, "collections")];
    const installed = await this.#run("ansible-galaxy", ["collection", "install", ...place, archive]);
    if (installed.code !== 0) throw new Error(installed.output);
    return join(this.#directory, "collections/ansible_collections/idc/codedeploy_helper");
  }

  writeInventory(members: readonly Member[], version: "now" | "later" = "now"): void {
    const hosts = members.map(({ serial, host }) => [
      serial,
      { ansible_host: `pid-${host.machine.leader}`, idc_helper_serial: serial },
    ]);
    const url = members[0]?.host.emulator.url;
    const vars = {
      ansible_ssh_executable: join(this.#directory, "ssh"),
      ansible_ssh_transfer_method: "piped",
      ansible_pipelining: true,
      ansible_python_interpreter: "/usr/bin/python3",
      idc_helper_region: REGION,
      idc_helper_role_arn: ROLE_ARN,
      idc_helper_package_manager: "dnf",
      idc_helper_repository_url: `file://${PLACE.replace("now", version)}`,
      idc_helper_config: { endpoints: { sts: url, codedeploy: url }, session_duration: "1h" },
      idc_helper_base_access_key_id: BASE_KEY.accessKeyId,
      idc_helper_base_secret_access_key: BASE_KEY.secretAccessKey,
      idc_helper_tags: { Name: "web", Fleet: "idc" },
      idc_helper_batches: "100%",
      idc_helper_max_fail_percentage: 99,
    };
    const inventory = { all: { hosts: Object.fromEntries(hosts), vars } };
    writeFileSync(join(this.#directory, "inventory.json"), JSON.stringify(inventory));
  }

  play(name: string, ...more: string[]): Promise<Ended> {
    const inventory = ["-i", join(this.#directory, "inventory.json")];
    return this.#run("ansible-playbook", [...inventory, `idc.codedeploy_helper.${name}`, ...more]);
  }

  lint(directory: string): Promise<Ended> {
    const what = [join(directory, "roles/idc_helper"), join(directory, "playbooks/rollout.yml")];
    return this.#run("ansible-lint", ["--offline", "--nocolor", ...what]);
  }

  #run(program: string, args: readonly string[]): Promise<Ended> {
    const { accessKeyId, secretAccessKey } = OPERATOR_KEY;
    const env = [
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      "LC_ALL=C.UTF-8",
      `HOME=${this.#directory}`,
      `ANSIBLE_COLLECTIONS_PATH=${join(this.#directory, "collections")}`,
      "ANSIBLE_HOST_KEY_CHECKING=False",
      "ANSIBLE_RETRY_FILES_ENABLED=False",
      `AWS_ACCESS_KEY_ID=${accessKeyId}`,
      `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    ];
    return runToEnd("env", ["-i", ...env, program, ...args], { limitMs: LIMIT_MS });
  }
}

/** Of the line that ansible-playbook ends with, for each host. */
export function recapOf({ stdout }: Ended, serial: string): { changed: number; failed: number } {
  const line = stdout.split("\n").find((each) => each.startsWith(`${serial} `) && each.includes("changed="));
  const count = (name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(line ?? "")?.[1] ?? Number.NaN);
  return { changed: count("changed"), failed: count("failed") };
}
