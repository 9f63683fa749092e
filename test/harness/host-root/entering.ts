/** How a process comes onto a scratch host: as whom, and with which environment. */
import { isRoot } from "../identity.ts";
import { COMPILE_CACHE } from "../scratch-host.ts";
import { ACCOUNTS, type AccountName } from "./accounts.ts";
import { HARNESS_DIRECTORY } from "./inside.ts";

export interface Surroundings {
  /** Where STS and CodeDeploy are. */
  endpoint: string;
  timeFactor?: number;
  /** For every command and service of this host. */
  env?: Record<string, string>;
}

const home = (as: AccountName) => ["env", `--chdir=${as === "root" ? "/root" : "/"}`];

/** In a user namespace there is nobody else to become but one who has no name and no rights there. */
export function become(as: AccountName): readonly string[] {
  if (as === "root" || (!isRoot && as === "idc-helper")) return home(as);
  const user = isRoot
    ? ["setpriv", `--reuid=${as}`, `--regid=${as}`, "--init-groups", "--"]
    : ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"];
  return [...home(as), ...user];
}

export function environment({ endpoint, timeFactor = 1, env = {} }: Surroundings, as: AccountName) {
  return {
    PATH: `${HARNESS_DIRECTORY}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: ACCOUNTS[as].home,
    USER: as,
    LOGNAME: as,
    SHELL: "/bin/sh",
    LANG: "C.UTF-8",
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_CODEDEPLOY: endpoint,
    ...(timeFactor === 1 ? {} : { IDC_HELPER_TIME_FACTOR: String(timeFactor) }),
    ...env,
  };
}
