/** The arguments and environments of all processes on the machine, watched from here on (`sampler.py`). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { kindAt, type SecretKind } from "../../aws-emulator/identity/canary.ts";
import { masked, NEEDLE_BYTES } from "./forms.ts";

const SAMPLER = fileURLToPath(new URL("sampler.py", import.meta.url));

/** A secret where every other process of the user, or (arguments) of the machine, can read it. */
export interface Exposure {
  where: "argv" | "environ";
  /** Of the variable; empty in arguments. */
  name: string;
  kind: SecretKind | null;
  /** What ran, its secrets made unreadable. */
  command: string;
}

export interface Counts {
  /** Programs started meanwhile, as the kernel told it. */
  started: number;
  /** Those that had ended before they could be looked at. */
  missed: number;
  looks: number;
  /** How often the kernel told more than could be heard. */
  overruns: number;
  sweeps: number;
  /** What the watching took. */
  cpuSeconds: number;
}

export interface Watched {
  exposures: Exposure[];
  counts: Counts;
  /** Whether each start was told by the kernel, not found by looking a hundred times a second. */
  isTold: boolean;
}

type Line =
  | { ready: "exec" | "poll" }
  | { end: Counts }
  | { pid: number; where: Exposure["where"]; name: string; mark: string; command: string };

export class ProcessWatch {
  readonly #sampler: ChildProcess;
  readonly #exposures: Exposure[] = [];
  readonly #ready = Promise.withResolvers<boolean>();
  readonly #end = Promise.withResolvers<Counts>();
  #isTold = false;

  private constructor(sampler: ChildProcess) {
    this.#sampler = sampler;
    const { stdout, stdin } = sampler;
    if (stdout === null || stdin === null) throw new Error("the sampler has no pipes");
    createInterface({ input: stdout }).on("line", (line) => this.#take(JSON.parse(line)));
    stdin.on("error", () => undefined);
    // Not as an argument, where it would find itself.
    stdin.write(`${JSON.stringify(NEEDLE_BYTES.map((bytes) => bytes.toString("base64")))}\n`);
    for (const { promise } of [this.#ready, this.#end]) promise.catch(() => undefined);
    sampler.once("exit", (code) => {
      const error = new Error(`the watch on processes ended with status ${code}`);
      this.#ready.reject(error);
      // Its last line may still be on its way.
      stdout.once("close", () => this.#end.reject(error));
    });
    sampler.once("error", (error) => this.#ready.reject(error));
  }

  /** @throws where there is no Python */
  static async start(): Promise<ProcessWatch> {
    // In a group of its own: Ctrl-C is for what it watches.
    const sampler = spawn("python3", [SAMPLER], { stdio: ["pipe", "pipe", "inherit"], detached: true });
    const watch = new ProcessWatch(sampler);
    watch.#isTold = await watch.#ready.promise;
    return watch;
  }

  async stop(): Promise<Watched> {
    const ended = once(this.#sampler, "exit");
    this.#sampler.stdin?.end();
    const counts = await this.#end.promise;
    await ended;
    return { exposures: this.#exposures, counts, isTold: this.#isTold };
  }

  #take(line: Line): void {
    if ("ready" in line) this.#ready.resolve(line.ready === "exec");
    else if ("end" in line) this.#end.resolve(line.end);
    else {
      const { where, name, mark, command } = line;
      const shown = masked(command.split("\0").join(" ").trim()).slice(0, 300);
      this.#exposures.push({ where, name, kind: kindAt(mark), command: shown });
    }
  }
}

/** Our command, and what it is typed behind (`nsenter … idc-helper register`). */
const TYPED = /idc-helper/;
/** The programs that a test's `credential_process` names: the SDK hands them the whole environment. */
const SIGNERS = /\/opt\/(?:signer|aws_signing_helper)\b/;
/** The commands that nobody starts with a key of their own in the environment: systemd does, and `run`. */
const SERVICES =
  /(?:idc-helper(?:\.cjs)?|\bsh) (?:run|sync-agent)\b|--resolved-config|codedeploy-agent|reload-agent/;

/**
 * Two secrets are put into an environment on purpose, by whoever types the command or writes the unit's drop-in: an
 * operator's own key, for the commands of an operator and no tool that these start; and a proxy's password, which has
 * no other place. No secret has a place among arguments, and neither base credentials nor a session's in any
 * environment.
 */
export function isOnPurpose({ where, name, kind, command }: Exposure): boolean {
  if (where !== "environ") return false;
  if (kind === "proxy password") return /^https?_proxy$/i.test(name);
  const isKey = /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/.test(name);
  const isOperators = (TYPED.test(command) || SIGNERS.test(command)) && !SERVICES.test(command);
  return kind === "operator" && isKey && isOperators;
}

export function toldExposure({ where, name, kind, command }: Exposure): string {
  const what = kind ?? "a secret cut short";
  return `${what} in the ${where === "argv" ? "arguments" : `environment (${name})`} of: ${command}`;
}
