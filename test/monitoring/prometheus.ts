/** Debian's Prometheus and node exporter on loopback ports of their own, as processes of this test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const LIMIT_MS = 240_000;

export interface Alert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: "pending" | "firing";
}

export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

interface Options {
  /** Scratch. */
  directory: string;
  /** What node exporter reads. */
  textfiles: string;
  rules: string;
}

export class Monitoring {
  readonly #processes: Started[];
  readonly #url: string;

  private constructor(processes: Started[], url: string) {
    this.#processes = processes;
    this.#url = url;
  }

  static async start({ directory, textfiles, rules }: Options): Promise<Monitoring> {
    const [exporterPort, port] = [await freePort(), await freePort()];
    const config = join(directory, "prometheus.yml");
    mkdirSync(directory, { recursive: true });
    writeFileSync(config, configText(rules, exporterPort));
    const exporter = start("prometheus-node-exporter", [
      "--collector.disable-defaults",
      "--collector.textfile",
      `--collector.textfile.directory=${textfiles}`,
      `--web.listen-address=127.0.0.1:${exporterPort}`,
    ]);
    const prometheus = start("prometheus", [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const monitoring = new Monitoring([exporter, prometheus], `http://127.0.0.1:${port}`);
    await monitoring.#until(
      async () => (await fetch(`${monitoring.#url}/-/ready`).catch(() => null))?.ok === true,
      () => "Prometheus does not become ready",
    );
    return monitoring;
  }

  async query(expression: string): Promise<Sample[]> {
    const url = `${this.#url}/api/v1/query?${new URLSearchParams({ query: expression })}`;
    const answer = (await (await fetch(url)).json()) as { error?: string; data: { result: Sample[] } };
    if (answer.error !== undefined) throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result;
  }

  async alerts(): Promise<Alert[]> {
    const answer = await (await fetch(`${this.#url}/api/v1/alerts`)).json();
    return (answer as { data: { alerts: Alert[] } }).data.alerts;
  }

  /** Waits until the query finds something. */
  async waitFor(expression: string): Promise<Sample[]> {
    let found: Sample[] = [];
    await this.#until(
      async () => {
        found = await this.query(expression);
        return found.length > 0;
      },
      () => `${expression} never holds`,
    );
    return found;
  }

  async fires(name: string): Promise<Alert> {
    let seen: Alert[] = [];
    let alert: Alert | undefined;
    await this.#until(
      async () => {
        seen = await this.alerts();
        alert = seen.find(({ labels, state }) => labels.alertname === name && state === "firing");
        return alert !== undefined;
      },
      () => `${name} does not fire; what does: ${JSON.stringify(seen, null, 1)}`,
    );
    if (alert === undefined) throw new Error(name);
    return alert;
  }

  async resolves(name: string): Promise<void> {
    let seen: Alert[] = [];
    await this.#until(
      async () => {
        seen = await this.alerts();
        return !seen.some(({ labels }) => labels.alertname === name);
      },
      () => `${name} does not resolve: ${JSON.stringify(seen, null, 1)}`,
    );
  }

  async stop(): Promise<void> {
    for (const { child } of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
  }

  async #until(holds: () => Promise<boolean>, explain: () => string): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    while (!(await holds())) {
      const dead = this.#processes.find(({ child }) => child.exitCode !== null);
      if (dead) throw new Error(`${dead.name} has ended:\n${dead.said()}`);
      if (performance.now() > deadline) throw new Error(explain());
      await sleep(200);
    }
  }
}

interface Started {
  name: string;
  child: ChildProcess;
  said: () => string;
}

function start(name: string, args: string[]): Started {
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4_000);
    });
  }
  return { name, child, said: () => said };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function configText(rules: string, exporterPort: number): string {
  return `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${rules}"]
scrape_configs:
  - job_name: node
    static_configs: [{ targets: ["127.0.0.1:${exporterPort}"] }]
`;
}
