/** Three machines at once, of one account: a fresh one, one on the old cron pair, and one whose agent cannot start yet. */
import { BASE_KEY, type Emulator, ROLE_ARN, startEmulator } from "../aws-emulator/emulator.ts";
import { AgentOnHost, UNIT } from "../systemd/agent-service.ts";
import type { BootedRun } from "../systemd/booted-run.ts";
import { layCronPair, OLD_FILE } from "../systemd/cron-pair.ts";
import { Host, REGION } from "../systemd/host.ts";
import type { Machine } from "../systemd/machine.ts";
import type { PackageServer } from "../systemd/package/package-server.ts";
import type { Inventory } from "./control-node.ts";

export const FRESH = "serial-FRESH01";
export const OLD = "serial-OLDCRON";
/** Its base credentials come of a certificate. */
export const BROKEN = "serial-BROKEN1";
export const ALL = [FRESH, OLD, BROKEN] as const;
type Serial = (typeof ALL)[number];

const WHY_BROKEN = `/etc/systemd/system/${UNIT}.d/broken.conf`;
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";
const PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5IG9mIGFueWJvZHk=\n-----END PRIVATE KEY-----\n";
const SIGNER = "/usr/local/bin/aws_signing_helper";
/** In the place of AWS's own program: gives credentials to whoever may read both files. */
const SIGNER_TEXT = `#!/bin/sh
set -e
test "$(cat "$2")" = "${CERTIFICATE.trim()}"
test "$(cat "$4")" = "${PRIVATE_KEY.trim()}"
echo '{"Version":1,"AccessKeyId":"${BASE_KEY.accessKeyId}","SecretAccessKey":"${BASE_KEY.secretAccessKey}"}'
`;
/** What makes up a host, but for what changes by itself: the agent's logs, caches, what the old cron job writes. */
const WATCHED = "/etc /usr /opt /root /home /var/spool/cron";
/** What asking touches: Ansible's scratch directory, gpg's, and rpm's database, whose content is asked for. */
const TOUCHED = ["/root/.ansible", "/root/.gnupg", "/root/.rpmdb", "/root/.cache", OLD_FILE];

export class Fleet {
  readonly emulator: Emulator;
  readonly #hosts: ReadonlyMap<string, Host>;

  private constructor(emulator: Emulator, hosts: ReadonlyMap<string, Host>) {
    this.emulator = emulator;
    this.#hosts = hosts;
  }

  static async start(run: BootedRun, packages: string, server: PackageServer): Promise<Fleet> {
    const emulator = await startEmulator();
    run.started(() => emulator.close());
    const start = async (serial: string): Promise<[string, Host]> => {
      const host = await Host.startBare(run.baseRoot, run.directory, run.started, packages, emulator);
      await new AgentOnHost(host).place("root");
      await host.machine.sh("rm -r /etc/yum.repos.d/idc-codedeploy-helper.repo /srv/packages");
      await server.introduceTo(host.machine);
      return [serial, host];
    };
    const fleet = new Fleet(emulator, new Map(await Promise.all(ALL.map(start))));
    await layCronPair(fleet.#host(OLD), OLD);
    await fleet.machine(OLD).sh(`systemctl start ${UNIT}`);
    await fleet.machine(BROKEN).write(SIGNER, SIGNER_TEXT, "0755");
    await fleet.machine(BROKEN).write(WHY_BROKEN, "[Service]\nExecStartPre=/bin/false\n");
    await fleet.machine(BROKEN).sh("systemctl daemon-reload");
    return fleet;
  }

  machine(serial: Serial): Machine {
    return this.#host(serial).machine;
  }

  mend(): Promise<string> {
    return this.machine(BROKEN).sh(`rm ${WHY_BROKEN}; systemctl daemon-reload`);
  }

  /** As a user writes it. Two ways to root: root's own login, and another's with become. */
  inventory(repositoryUrl: string): Inventory {
    const { url } = this.emulator;
    const reach = (serial: Serial) => ({ ansible_host: `pid-${this.machine(serial).leader}` });
    const isRoot = { ansible_user: "root", ansible_pipelining: true };
    const certificate = {
      idc_helper_base_access_key_id: "",
      idc_helper_base_secret_access_key: "",
      idc_helper_certificate: CERTIFICATE,
      idc_helper_private_key: "{{ vault_private_key }}",
      idc_helper_credential_process: `${SIGNER} --certificate /etc/idc-codedeploy-helper/certificate.pem --private-key /etc/idc-codedeploy-helper/private-key.pem`,
    };
    return {
      hosts: {
        [FRESH]: { ...reach(FRESH), ...isRoot },
        [OLD]: { ...reach(OLD), ansible_become_method: "su" },
        [BROKEN]: { ...reach(BROKEN), ...isRoot, ...certificate },
      },
      vars: {
        idc_helper_serial: "{{ inventory_hostname }}",
        idc_helper_region: REGION,
        idc_helper_role_arn: ROLE_ARN,
        // Debian's, in a Debian.
        idc_helper_package_manager: "dnf",
        idc_helper_repository_url: repositoryUrl,
        idc_helper_config: { endpoints: { sts: url, codedeploy: url }, session_duration: "1h" },
        idc_helper_base_access_key_id: BASE_KEY.accessKeyId,
        idc_helper_base_secret_access_key: "{{ vault_base_secret }}",
        idc_helper_tags: { Name: "web", Fleet: "idc" },
        // An end to a hang: nothing is decided by it, but where a host is meant to be unwell.
        idc_helper_health_retries: 300,
        idc_helper_health_delay: 1,
      },
      secrets: { vault_base_secret: BASE_KEY.secretAccessKey, vault_private_key: PRIVATE_KEY },
    };
  }

  /** Null where it is not registered. */
  tagsOf(serial: string): string | null {
    const found = this.emulator.instances.list().find(({ name }) => name === serial);
    if (found === undefined || found.deregisteredAt !== null) return null;
    return found.tags
      .map(({ Key, Value }) => `${Key}=${Value}`)
      .sort()
      .join(" ");
  }

  /** Every file of a host with its owner, mode, size and time; its packages, units and registration. */
  async snapshot(serial: Serial): Promise<string> {
    const pruned = TOUCHED.map((path) => `-path ${path} -prune -o`).join(" ");
    const files = `find ${WATCHED} -xdev ${pruned} ! -path /root -printf '%p %u:%g %m %s %T@ %l\\n'`;
    const units = "systemctl list-unit-files --no-legend --no-pager 'idc-*' 'codedeploy-*' || true";
    const text = await this.machine(serial).sh(
      `${files} | sort; rpm -qa | sort; ${units}; crontab -l || true`,
    );
    return `${text}\n${JSON.stringify(this.emulator.instances.list())}`;
  }

  #host(serial: string): Host {
    const found = this.#hosts.get(serial);
    if (found === undefined) throw new Error(serial);
    return found;
  }
}

/** @returns the lines that only one of the two has */
export function difference(before: string, after: string): string {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const [oldLines, nowLines] = [new Set(old), new Set(now)];
  return [
    ...old.filter((line) => !nowLines.has(line)).map((line) => `-${line}`),
    ...now.filter((line) => !oldLines.has(line)).map((line) => `+${line}`),
  ].join("\n");
}
