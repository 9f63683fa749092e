/**
 * The service manager of a scratch host. It lives in the test's own process, and the stand-in `systemctl` on the
 * host reaches it through a socket.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AgentUnit } from "./agent-unit.ts";
import { HelperUnit } from "./helper-unit.ts";
import { HARNESS_DIRECTORY, type HostInside } from "./inside.ts";
import type { Answer, Systemd } from "./jobs.ts";
import { setOwner, writeOwned } from "./layout.ts";
import { RequestUnit } from "./request-unit.ts";
import { type Request, systemctl } from "./systemctl.ts";
import type { Unit } from "./unit.ts";
import { UnitFiles } from "./unit-files.ts";

export const HELPER = "idc-codedeploy-helper.service";
export const REQUESTS = "idc-codedeploy-helper-agent.path";
export const AGENT = "codedeploy-agent.service";

export interface Call {
  verb: string;
  /** With its suffix; empty for a call that names none. */
  unit: string;
  at: Date;
}

const CLIENT = fileURLToPath(new URL("systemctl-client.ts", import.meta.url));
const SOCKET = `${HARNESS_DIRECTORY}/systemctl.sock`;

export class ServiceManager implements Systemd {
  /** Every call of systemctl on the host, a `show` included, in order. */
  readonly calls: Call[] = [];
  readonly files: UnitFiles;
  readonly helper: HelperUnit;
  readonly requests: RequestUnit;
  readonly agent: AgentUnit;
  readonly #overrides = new Map<string, Map<string, string>>();
  readonly #planted = new Map<string, Answer>();
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  private constructor(inside: HostInside) {
    this.files = new UnitFiles(inside.directory);
    this.helper = new HelperUnit(inside);
    this.requests = new RequestUnit(inside);
    this.agent = new AgentUnit(inside);
    this.#server = createServer((client) => this.#serve(client));
  }

  static async open(inside: HostInside): Promise<ServiceManager> {
    const manager = new ServiceManager(inside);
    const path = join(inside.directory, SOCKET);
    writeOwned(
      join(inside.directory, HARNESS_DIRECTORY, "bin/systemctl"),
      `#!/bin/sh\nexec '${process.execPath}' '${CLIENT}' '${SOCKET}' "$@"\n`,
      { mode: 0o755 },
    );
    manager.#server.listen(path);
    await once(manager.#server, "listening");
    setOwner(path, { mode: 0o777 });
    return manager;
  }

  /** What changed something, in order, as `start codedeploy-agent.service`; `show` and `is-…` are left out. */
  changes(): string[] {
    const looks = /^(show|is-|status|cat|list-)/;
    return this.calls
      .filter(({ verb }) => !looks.test(verb))
      .map(({ verb, unit }) => `${verb} ${unit}`.trim());
  }

  isActive(unit: string): boolean {
    return this.find(unit)?.activeState === "active";
  }

  isEnabled(unit: string): boolean {
    return this.files.isEnabled(unit);
  }

  mask(unit: string): void {
    this.files.mask(unit);
  }

  /** From now on `show` says this of the unit: `override(HELPER, { NRestarts: "12" })`. */
  override(unit: string, properties: Record<string, string>): void {
    this.#overrides.set(unit, new Map([...this.overrides(unit), ...Object.entries(properties)]));
  }

  overrides(unit: string): ReadonlyMap<string, string> {
    return this.#overrides.get(unit) ?? new Map();
  }

  /** From now on that call fails and does nothing; `allow` takes it back. */
  refuse(verb: string, unit: string, { code = 1, stderr }: { code?: number; stderr: string }): void {
    this.#planted.set(`${verb} ${unit}`, { code, stdout: "", stderr: `${stderr}\n` });
  }

  allow(verb: string, unit: string): void {
    this.#planted.delete(`${verb} ${unit}`);
  }

  /** As `systemctl start`, but not among the calls. @throws when it fails */
  async start(unit: string): Promise<void> {
    const { code, stderr } = await this.#quietly("start", unit);
    if (code !== 0) throw new Error(`${stderr}${this.find(unit)?.log ?? ""}`);
  }

  async stop(unit: string): Promise<void> {
    await this.find(unit)?.stop();
  }

  /** Starts the agent, without waiting for its first poll: it may have no credentials yet. */
  async startAgent(): Promise<AgentUnit> {
    await this.start(AGENT);
    return this.agent;
  }

  find(unit: string): Unit | undefined {
    return [this.helper, this.requests, this.agent].find(({ name }) => name === unit);
  }

  before(verb: string, unit: string): Answer | undefined {
    this.calls.push({ verb, unit, at: new Date() });
    return this.#planted.get(`${verb} ${unit}`);
  }

  /** @param killRest ends what the units' main processes leave behind */
  async close(killRest: () => Promise<void>): Promise<void> {
    // From here on no request starts anything; one under way ends with the rest.
    const requestsEnd = this.requests.kill();
    await Promise.all([this.helper.kill(), this.agent.kill()]);
    await killRest();
    await requestsEnd;
    this.helper.close();
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  #quietly(...args: string[]): Promise<Answer> {
    const systemd: Systemd = {
      files: this.files,
      find: (unit) => this.find(unit),
      overrides: (unit) => this.overrides(unit),
      before: () => undefined,
    };
    return systemctl(systemd, { userId: 0, args });
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.on("close", () => this.#clients.delete(client));
    // A client that was killed, as a test kills what called it.
    client.on("error", () => undefined);
    let text = "";
    client.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.endsWith("\n")) this.#answer(JSON.parse(text), client);
    });
  }

  async #answer(request: Request, client: Socket): Promise<void> {
    const answer = await systemctl(this, request).catch((error: unknown): Answer => {
      return { code: 1, stdout: "", stderr: `the test's service manager: ${error}\n` };
    });
    client.end(JSON.stringify(answer));
  }
}
