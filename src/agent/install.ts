/**
 * Installs the CodeDeploy agent from the region's bucket, or a mirror of it, with the host's own package manager. An
 * agent that is already there is never touched.
 */
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import type { Network } from "../aws/network.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { outputOf } from "../host/program.ts";
import { withoutCredentials } from "../host/tool-environment.ts";

/** The agent's package has about 5 MB. */
const MAX_PACKAGE_BYTES = 64 * 1_024 * 1_024;
const MAX_VERSION_BYTES = 16 * 1_024;
const DOWNLOAD_LIMIT_MS = 5 * 60_000;
const INSTALL_LIMIT_MS = 15 * 60_000;

export interface AgentSource {
  /** `https://…` or a directory, laid out as the bucket: `latest/VERSION`, `releases/…`. Without a slash at the end. */
  base: string;
}

/**
 * @param given `--agent-source`: https:// URL, file:// URL or absolute path; undefined for the region's bucket
 * @returns null for a source that is not allowed
 */
export function agentSource(given: string | undefined, region: string): AgentSource | null {
  if (given === undefined) {
    const suffix = region.startsWith("cn-") ? ".cn" : "";
    return { base: `https://aws-codedeploy-${region}.s3.${region}.amazonaws.com${suffix}` };
  }
  if (isAbsolute(given)) return { base: given.replace(/\/+$/, "") };
  const url = URL.parse(given);
  // file://mirror/… names another host, whose files are not here.
  if (url?.protocol === "file:" && url.host === "") return { base: fileURLToPath(url).replace(/\/+$/, "") };
  const isPlain = url?.protocol === "https:" && !url.username && !url.password && !url.search;
  return isPlain ? { base: given.replace(/\/+$/, "") } : null;
}

/** @returns the package's place below the source. @throws Failure */
export async function latestPackage({ base }: AgentSource, network: Network): Promise<string> {
  const text = isAbsolute(base)
    ? readLocal(join(base, "latest/VERSION"))
    : await download(`${base}/latest/VERSION`, network, MAX_VERSION_BYTES);
  const kind = packageManager().kind;
  let place: unknown;
  try {
    place = (JSON.parse(text.toString("utf8")) as Record<string, unknown>)[kind];
  } catch {
    place = undefined;
  }
  if (typeof place === "string" && /^releases\/codedeploy-agent[\w.~+-]+\.(?:rpm|deb)$/.test(place))
    return place;
  throw new Failure({
    kind: "bad_answer",
    message: `${base}/latest/VERSION names no ${kind} package of the CodeDeploy agent`,
    nextStep: "See what answers there: a proxy's page, or a mirror that is not laid out as AWS's bucket.",
  });
}

/** @throws Failure */
export async function installAgent(source: AgentSource, place: string, network: Network): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "idc-helper-agent-"));
  try {
    const file = isAbsolute(source.base) ? join(source.base, place) : join(directory, basename(place));
    if (!isAbsolute(source.base)) await downloadTo(`${source.base}/${place}`, file, network);
    const { command, args } = packageManager();
    await outputOf(command, [...args, file], {
      timeout: INSTALL_LIMIT_MS,
      killSignal: "SIGTERM",
      // The operator's keys are nothing that a package's scriptlets, or a service that they start, should inherit.
      env: { ...withoutCredentials(), DEBIAN_FRONTEND: "noninteractive" },
    });
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure({
      kind: "host_not_ready",
      message: `the agent could not be installed from ${source.base}/${place}: ${lastLine(error)}`,
      nextStep: "Install it by hand (it needs ruby from the host's own repositories), and run this again.",
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface PackageManager {
  kind: "rpm" | "deb";
  command: string;
  args: string[];
}

function packageManager(): PackageManager {
  const has = (name: string) =>
    (process.env.PATH ?? "").split(":").some((path) => existsSync(join(path, name)));
  if (has("dnf")) return { kind: "rpm", command: "dnf", args: ["install", "--assumeyes"] };
  if (has("yum")) return { kind: "rpm", command: "yum", args: ["install", "--assumeyes"] };
  if (has("apt-get")) return { kind: "deb", command: "apt-get", args: ["install", "--yes"] };
  throw new Failure({
    kind: "host_not_ready",
    message: "this host has neither dnf, yum nor apt-get to install the agent with",
    nextStep: "Install the CodeDeploy agent by hand, and run this again without --install-agent.",
  });
}

function lastLine(error: unknown): string {
  const stderr =
    typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr).trim() : "";
  return (stderr || errorText(error)).split("\n").at(-1) ?? "";
}

function readLocal(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure({
      kind: "host_not_ready",
      message: `${path} cannot be read: ${errorCode(error) ?? errorText(error)}`,
      nextStep: "Give a directory that is laid out as AWS's bucket: latest/VERSION and releases/.",
    });
  }
}

async function download(url: string, network: Network, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await receive(url, network, maxBytes, async (body) => {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  });
  return Buffer.concat(chunks);
}

function downloadTo(url: string, path: string, network: Network): Promise<void> {
  return receive(url, network, MAX_PACKAGE_BYTES, (body) =>
    pipeline(body, createWriteStream(path, { mode: 0o600 })),
  );
}

/** One answer with status 200, within a time and a size; a redirect is not followed. */
async function receive(
  url: string,
  { httpsAgent, route }: Network,
  maxBytes: number,
  take: (body: AsyncIterable<unknown>) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.timeout(DOWNLOAD_LIMIT_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      const request = get(url, { agent: httpsAgent, signal }, (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          reject(new Error(`HTTP ${response.statusCode}`));
          return;
        }
        take(bounded(response, maxBytes)).then(resolve, reject);
      });
      request.on("error", reject);
    });
  } catch (error) {
    throw new Failure({
      kind: "unreachable",
      message: `${url} could not be fetched${route}: ${errorCode(error) ?? errorText(error)}`,
      nextStep:
        "Check the firewall for outbound 443 and the proxy; --agent-source names a mirror or a local directory.",
    });
  }
}

async function* bounded(body: AsyncIterable<unknown>, maxBytes: number): AsyncGenerator<unknown> {
  let length = 0;
  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    yield chunk;
  }
}
