/** One refresh, cold: the whole process against STS on loopback, beside what people use today. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "../../test/aws-emulator/emulator.ts";
import { createAuthority, issueServerCertificate } from "../../test/harness/certificates.ts";
import { ScratchHost } from "../../test/harness/scratch-host.ts";
import { atMost, type Bench, type Finding, type Outcome, table } from "../findings.ts";
import { type Compared, compare, comparedRows } from "../processes/compare.ts";
import { BOTO3, checkGranted, OURS, refreshers } from "./contestants.ts";

const ROUNDS = 15;
const LIMITS = { http: 2.7, https: 3.2, ofBoto3: 0.25, peakMiB: 62 };

export const bench: Bench = { title: "One refresh, cold", run };

async function run({ directory }: { directory: string }): Promise<Outcome> {
  const http = await compareOver("http", directory);
  const https = await compareOver("https", directory);
  return {
    findings: [...findingsOf("HTTP", http, LIMITS.http), ...findingsOf("HTTPS", https, LIMITS.https)],
    more: [
      `Over HTTP, ${ROUNDS} rounds:`,
      table(comparedRows(http)),
      "Over HTTPS:",
      table(comparedRows(https)),
    ].join("\n\n"),
  };
}

async function compareOver(scheme: "http" | "https", directory: string): Promise<Compared[]> {
  const authority = createAuthority();
  const tls = issueServerCertificate(authority, { hosts: ["127.0.0.1"] });
  const emulator = await startEmulator(scheme === "https" ? { tls } : {});
  const endpoint = emulator.httpsUrl ?? emulator.url;
  const caBundle = scheme === "https" ? join(directory, "ca.pem") : null;
  const config = caBundle === null ? "" : `network: { ca_bundle: ${caBundle} }\n`;
  if (caBundle !== null) writeFileSync(caBundle, authority.cert);
  const host = new ScratchHost({ endpoint, config, parent: directory });
  try {
    const compared = await compare(refreshers({ host, endpoint, caBundle }), { rounds: ROUNDS });
    checkGranted(emulator);
    return compared;
  } finally {
    await host.close();
    await emulator.close();
  }
}

function findingsOf(scheme: string, compared: readonly Compared[], limit: number): Finding[] {
  const [ours, boto3] = [OURS, BOTO3].map((wanted) => compared.find(({ name }) => name === wanted));
  if (ours === undefined || boto3 === undefined) throw new Error("not all were measured");
  return [
    atMost(`${scheme}: wall time, in times of bare Node's`, limit, ours.wallRatio),
    atMost(
      `${scheme}: wall time, in times of the boto3 script's`,
      LIMITS.ofBoto3,
      ours.wallMs / boto3.wallMs,
    ),
    atMost(`${scheme}: peak memory`, LIMITS.peakMiB, ours.peakMiB, " MiB"),
  ];
}
