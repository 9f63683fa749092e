/**
 * Whoever sits between this host and AWS: refused, with words that say why, before anything signed is sent; and nothing
 * that can be set anywhere has it accepted.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Emulator, type ServerTls, startEmulator } from "../../aws-emulator/emulator.ts";
import { createAuthority, issueServerCertificate } from "../../harness/certificates.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import { Broken, type Ledger, noneOf } from "./ledger.ts";
import { LIES, type Lie, playingTheServer, startLiar } from "./lying-servers.ts";

const LIST = "Who is refused on the way to AWS";

const authority = createAuthority("The company's CA");
const strange = createAuthority("A stranger's CA");
const HOST = { hosts: ["127.0.0.1"] };
const right = issueServerCertificate(authority, HOST);
const DAY_MS = 86_400_000;
const expired = issueServerCertificate(authority, { ...HOST, validTo: new Date(Date.now() - DAY_MS) });
const early = issueServerCertificate(authority, {
  ...HOST,
  validFrom: new Date(Date.now() + DAY_MS),
  validTo: new Date(Date.now() + 2 * DAY_MS),
});
const anothers = issueServerCertificate(authority, { hosts: ["sts.example.com"] });
const strangers = issueServerCertificate(strange, HOST);
const selfSigned = {
  key: strange.key.export({ type: "pkcs8", format: "pem" }).toString(),
  cert: strange.cert,
};
const WEAK = "DEFAULT@SECLEVEL=0";
const down = (version: "TLSv1" | "TLSv1.1") => ({
  ...right,
  minVersion: version,
  maxVersion: version,
  ciphers: WEAK,
});

interface Refused {
  what: string;
  says: RegExp;
  tls?: ServerTls;
  /** A proxy, which may play AWS itself on the port it is given. */
  proxy?: (awsPort: number) => Lie;
}

const REFUSED: readonly Refused[] = [
  { what: "a certificate that has expired", tls: expired, says: /its certificate has expired/ },
  { what: "a certificate that is not valid yet", tls: early, says: /its certificate is not valid yet/ },
  { what: "a self-signed certificate", tls: selfSigned, says: /its certificate is self-signed/ },
  {
    what: "a certificate of a CA that is not trusted",
    tls: strangers,
    says: /a CA that this host does not trust/,
  },
  {
    what: "a certificate for another host",
    tls: anothers,
    says: /for another host: .*sts\.example\.com|for another host/,
  },
  { what: "a server held down to TLS 1.0", tls: down("TLSv1"), says: /no TLS newer than 1\.1/ },
  { what: "a server held down to TLS 1.1", tls: down("TLSv1.1"), says: /no TLS newer than 1\.1/ },
  {
    what: "a proxy that says yes and plays the server, with its own CA's certificate for the right name",
    proxy: (port) => playingTheServer(strangers, port),
    says: /through the proxy .* a CA that this host does not trust/,
  },
  {
    what: "the same with a self-signed certificate",
    proxy: (port) => playingTheServer(selfSigned, port),
    says: /through the proxy .*self-signed/,
  },
  {
    what: "the same with a trusted CA's certificate for another name",
    proxy: (port) => playingTheServer(anothers, port),
    says: /through the proxy .*for another host/,
  },
  {
    what: "a proxy that answers with a page",
    proxy: () => LIES.page as Lie,
    says: /through the proxy .*403 Forbidden/,
  },
  {
    what: "a proxy that answers with a redirect",
    proxy: () => LIES.redirect as Lie,
    says: /through the proxy .*302 Found/,
  },
  {
    what: "a proxy that says yes and answers with a page",
    proxy: () => LIES["page in the tunnel"] as Lie,
    says: /through the proxy .*does not speak TLS/,
  },
  {
    what: "a proxy that closes",
    proxy: () => LIES.close as Lie,
    says: /through the proxy .*cannot be reached/,
  },
  {
    what: "a proxy that says yes and closes",
    proxy: () => LIES["close in the tunnel"] as Lie,
    says: /through the proxy .*cannot be reached/,
  },
  {
    what: "a proxy that resets",
    proxy: () => LIES.reset as Lie,
    says: /through the proxy .*cannot be reached/,
  },
];

/** What turns verification off, or would, in Node and in other programs that people know. */
const SETTINGS: readonly { what: string; env?: Record<string, string>; config?: string; network?: string }[] =
  [
    { what: "NODE_TLS_REJECT_UNAUTHORIZED=0", env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } },
    ...[
      "--tls-min-v1.0",
      "--tls-min-v1.1",
      `--tls-min-v1.0 --tls-cipher-list=${WEAK}`,
      "--tls-max-v1.2 --tls-min-v1.0",
      "--insecure-http-parser",
      "--use-openssl-ca",
      "--use-system-ca",
      "--use-bundled-ca",
      "--no-warnings --use-openssl-ca",
    ].map((flags) => ({ what: `NODE_OPTIONS=${flags}`, env: { NODE_OPTIONS: flags } })),
    ...Object.entries({
      NODE_NO_WARNINGS: "1",
      AWS_CA_BUNDLE: "/dev/null",
      AWS_INSECURE: "true",
      AWS_NO_VERIFY_SSL: "true",
      AWS_VERIFY_SSL: "false",
      AWS_USE_SSL: "false",
      AWS_SDK_LOAD_CONFIG: "1",
      CURL_CA_BUNDLE: "",
      REQUESTS_CA_BUNDLE: "",
      SSL_CERT_FILE: "/dev/null",
      PYTHONHTTPSVERIFY: "0",
      GIT_SSL_NO_VERIFY: "1",
      npm_config_strict_ssl: "false",
      OPENSSL_CONF: "/dev/null",
    }).map(([name, value]) => ({ what: `${name}=${value}`, env: { [name]: value } })),
    ...[
      "verify: false",
      "verify_ssl: false",
      "insecure: true",
      "reject_unauthorized: false",
      "tls: off",
      "strict_ssl: false",
    ].map((key) => ({ what: `network: { ${key} }`, network: key })),
    ...["insecure: true", "tls: { verify: false }", "verify: false"].map((key) => ({
      what: key,
      config: `${key}\n`,
    })),
  ];
/** Against servers whose only fault each setting would have to overlook. */
const FAULTY: readonly { what: string; tls: ServerTls }[] = [
  { what: "expired", tls: expired },
  { what: "self-signed", tls: selfSigned },
  { what: "another host's", tls: anothers },
  { what: "TLS 1.1", tls: down("TLSv1.1") },
];

/** In the short run: what Node itself would obey, and one or two of the others. */
const QUICK: Readonly<Record<string, RegExp>> = {
  "self-signed": /^NODE_TLS|^AWS_CA_BUNDLE|^network: \{ verify:|^insecure/,
  "TLS 1.1": /^NODE_OPTIONS=--tls-min-v1\.0/,
};

export async function checkTls(ledger: Ledger, directory: string, isFull: boolean): Promise<void> {
  await checkAccepted(ledger, directory);
  for (const refused of REFUSED) {
    await ledger.show(LIST, refused.what, async () => {
      ledger.count("ways to AWS");
      return tryRefused(refused, directory);
    });
  }
  ledger.close(
    LIST,
    "who is refused on the way to AWS, as listed below, with nothing sent",
    "each with words that say why",
  );
  await ledger.promise(
    "settings of the environment or the configuration that have any of them accepted",
    "0",
    async () => {
      const faults: string[] = [];
      let tried = 0;
      for (const { what, tls } of FAULTY) {
        const emulator = await startEmulator({ tls });
        for (const setting of isFull
          ? SETTINGS
          : SETTINGS.filter(({ what: name }) => QUICK[what]?.test(name))) {
          tried += 1;
          faults.push(
            ...(await trySetting(emulator, setting, directory)).map(
              (fault) => `${what}, ${setting.what}: ${fault}`,
            ),
          );
        }
        await emulator.close();
      }
      ledger.count("settings tried against verification", tried);
      return noneOf(faults);
    },
  );
}

/** Where this fails, the refusals below prove nothing. */
async function checkAccepted(ledger: Ledger, directory: string): Promise<void> {
  await ledger.promise(
    "the right server, directly and through a proxy that inspects with a CA in `network.ca_bundle`",
    "accepted",
    async () => {
      const emulator = await startEmulator({ tls: right });
      const inspecting = await startLiar(playingTheServer(right, Number(new URL(emulator.url).port)));
      try {
        for (const network of ["", `proxy: "http://127.0.0.1:${inspecting.port}"`]) {
          const { code, output } = await refresh(emulator, directory, { network });
          if (code !== 0) throw new Broken("refused", [output]);
        }
        return "accepted";
      } finally {
        await inspecting.close();
        await emulator.close();
      }
    },
  );
}

async function tryRefused({ says, tls = right, proxy }: Refused, directory: string): Promise<string> {
  const emulator = await startEmulator({ tls });
  const liar = proxy === undefined ? null : await startLiar(proxy(Number(new URL(emulator.url).port)));
  try {
    const network = liar === null ? "" : `proxy: "http://127.0.0.1:${liar.port}"`;
    const { message, output } = await refresh(emulator, directory, { network });
    const faults = await faultsOfRefusal(emulator, output);
    if (!says.test(message)) faults.push(`it does not say ${says}: ${output}`);
    if (faults.length > 0) throw new Broken(`${faults.length} faults`, faults);
    return `"${message.replaceAll(/127\.0\.0\.1:\d+/g, "HOST").replaceAll("|", "/")}"`;
  } finally {
    await liar?.close();
    await emulator.close();
  }
}

async function trySetting(
  emulator: Emulator,
  { env, config, network }: (typeof SETTINGS)[number],
  directory: string,
): Promise<string[]> {
  const { output } = await refresh(emulator, directory, {
    network: network ?? "",
    ...(env === undefined ? {} : { env }),
    ...(config === undefined ? {} : { config }),
  });
  const faults = await faultsOfRefusal(emulator, output);
  emulator.requests.clear();
  return faults;
}

async function faultsOfRefusal(emulator: Emulator, output: string): Promise<string[]> {
  const faults: string[] = [];
  if (!/"result":\s*"failed","kind":\s*"(?:tls|unreachable|config)"/.test(output))
    faults.push(`not refused: ${output}`);
  if (emulator.requests.list().length > 0) faults.push("something was sent");
  return faults;
}

interface Attempt {
  env?: Record<string, string>;
  config?: string;
  /** Further keys of its section. */
  network?: string;
}

async function refresh(
  emulator: Emulator,
  directory: string,
  { env = {}, config = "", network = "" }: Attempt,
) {
  const host = new ScratchHost({ endpoint: emulator.httpsUrl ?? "", parent: directory, env });
  try {
    const bundle = join(host.directory, "ca.pem");
    writeFileSync(bundle, authority.cert);
    host.addConfig(`network: { ca_bundle: ${bundle}${network === "" ? "" : `, ${network}`} }\n${config}`);
    const { code, stdout, stderr } = await host.command("refresh", "--json");
    const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(stdout)?.[1] ?? "";
    const written =
      existsSync(host.credentialsFile) && code !== 0 ? " and a credentials file was written" : "";
    return { code, message, output: `${stdout.trim()}${stderr}${written}` };
  } finally {
    await host.close();
  }
}
