/** The way to AWS: proxy, names, and each host that this one must reach. */
import { Failure } from "../../failure.ts";

import type { Check, CheckGroup } from "../check.ts";
import { type Finding, fail, left, pass, warn } from "../finding.ts";
import { PLACE_NAMES, type PlaceName } from "../places.ts";
import type { Way } from "../ways.ts";

export const network: CheckGroup = {
  group: "Network",
  checks: [
    {
      id: "network.proxy",
      title: "Proxy and CAs",
      async run(examination) {
        const config = await examination.host.config();
        const service = await examination.host.serviceEnvironment();
        try {
          const { proxy } = await examination.aws.agents();
          const shell = proxyIn(new Map(Object.entries(examination.options.env)));
          const facts = { configured: config.network.proxy, used: proxy, isServiceKnown: service !== null };
          return judgeProxy({ ...facts, shell, configFile: config.configFile });
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          return fail(error.message, { advice: error.nextStep, mend: [examination.own("check-config")] });
        }
      },
    },
    {
      id: "network.names",
      title: "Names resolve",
      async run({ aws }) {
        const ways = await Promise.all(PLACE_NAMES.map((name) => aws.way(name)));
        return judgeNames(ways);
      },
    },
    reaching("sts", "STS answers", "fail"),
    // Only an operator's commands call it; what the agent polls is the next one.
    reaching("codedeploy", "CodeDeploy answers", "warn"),
    reaching("commands", "Agent's commands answer", "fail"),
    reaching("s3", "S3 answers", "fail"),
  ],
};

function proxyIn(env: ReadonlyMap<string, string | undefined>): string | null {
  const text = env.get("https_proxy") || env.get("HTTPS_PROXY");
  const url = text ? URL.parse(text) : null;
  return url ? `${url.protocol}//${url.host}` : null;
}

export interface ProxyFacts {
  configured: string | null;
  /** What calls go through, in the end. */
  used: string | null;
  /** What the shell has that this was typed into. */
  shell: string | null;
  /** Whether the service's own environment could be seen. */
  isServiceKnown: boolean;
  configFile: string;
}

export function judgeProxy({ configured, used, shell, isServiceKnown, configFile }: ProxyFacts): Finding {
  if (used === null && shell !== null && isServiceKnown) {
    return warn(`this shell goes through ${shell}, but the service calls AWS directly`, {
      advice: `If this host needs the proxy, add to ${configFile}: network: { proxy: "${shell}" }`,
      mend: ["systemctl reload idc-codedeploy-helper"],
    });
  }
  if (used === null) return pass("none; AWS is called directly");
  if (configured !== null) {
    const other =
      shell !== null && shell !== used ? `; it wins over ${shell} of this shell's environment` : "";
    return pass(`${used}, from network.proxy${other}`);
  }
  return pass(`${used}, from the environment${isServiceKnown ? " of the service" : ""}`);
}

export function judgeNames(ways: readonly Way[]): Finding {
  const unknown = ways.filter((way) => way.kind === "no_name");
  const [first] = unknown;
  if (first === undefined) return pass("those of every host that must be reached");
  const names = [...new Set(unknown.map(({ name }) => name))];
  const what = first.isProxy
    ? `the proxy's name ${first.name} does`
    : `${names.join(", ")} ${names.length === 1 ? "does" : "do"}`;
  return fail(`${what} not resolve`, {
    advice: "See /etc/resolv.conf, and whether this network resolves names of the internet at all.",
    mend: names.map((name) => `getent ahosts ${name}`),
  });
}

function reaching(name: PlaceName, title: string, severity: "warn" | "fail"): Check {
  return {
    id: `network.${name}`,
    title,
    run: async ({ aws }) => judgeWay(await aws.way(name), severity),
  };
}

export function judgeWay(way: Way, severity: "warn" | "fail"): Finding {
  const { host } = new URL(way.place.url);
  switch (way.kind) {
    case "no_name":
      return left(`not checked: ${way.name} does not resolve`);
    case "open": {
      const through = way.proxy === null ? "" : ` through ${way.proxy}`;
      return pass(`${host}${through}${certificate(host, way.arrival.issuer)}`);
    }
    case "closed": {
      const { failure, issuer, place } = way;
      const by = issuer === null ? "" : `; the certificate was issued by "${issuer}"`;
      const make = severity === "fail" ? fail : warn;
      const effect = place.title === "CodeDeploy" ? " (only commands such as register need it)" : "";
      return make(`${failure.message}${by}${effect}`, {
        advice: failure.nextStep,
        mend: [`curl --head --verbose ${place.url}/`],
      });
    }
  }
}

/** AWS signs for itself; another issuer on one of its names is a proxy that looks inside. */
function certificate(host: string, issuer: string | null): string {
  if (issuer === null) return ", without TLS";
  const isInspected = /\.amazonaws\.com(\.cn)?$/.test(host) && !/amazon|digicert|starfield/i.test(issuer);
  const note = isInspected ? ": a proxy that inspects TLS. The agent must trust its CA, too" : "";
  return `, certificate issued by "${issuer}"${note}`;
}
