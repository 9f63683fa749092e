/** Everything that commands and services said, searched as it comes in. */
import type { HostCommandOptions, HostRoot } from "../../harness/host-root.ts";
import type { CommandResult } from "../../harness/launch.ts";
import { described, masked, sightingsIn } from "./forms.ts";

const AROUND = 100;

export interface Leak {
  /** Which stream or file, of what. */
  where: string;
  what: string;
  around: string;
}

export class Evidence {
  readonly leaks: Leak[] = [];
  /** How many texts were searched, and how long they were together. */
  texts = 0;
  bytes = 0;
  readonly commands: { args: string; code: number | null }[] = [];

  take(where: string, text: string | Buffer): void {
    const bytes = Buffer.from(text);
    this.texts += 1;
    this.bytes += bytes.length;
    const [first, ...rest] = sightingsIn(bytes);
    if (first === undefined) return;
    const around = bytes.subarray(Math.max(0, first.at - AROUND), first.at + AROUND).toString();
    this.leaks.push({
      where,
      what: described([first, ...rest]),
      around: masked(around).replace(/\s+/g, " "),
    });
  }

  takeResult(name: string, { code, stdout, stderr }: CommandResult): void {
    this.commands.push({ args: name, code });
    this.take(`standard output of ${name}`, stdout);
    this.take(`standard error of ${name}`, stderr);
  }

  /** A command of ours, to its end; what it said is searched. */
  async run(
    host: HostRoot,
    args: readonly string[],
    { why = "", ...options }: HostCommandOptions & { why?: string } = {},
  ): Promise<CommandResult> {
    const result = await host.command(args, options);
    this.takeResult(`idc-helper ${args.join(" ")}${why && ` (${why})`}`, result);
    return result;
  }

  /** The same, which must do what it is to do. @throws with what it said */
  async must(
    host: HostRoot,
    args: readonly string[],
    options: HostCommandOptions = {},
  ): Promise<CommandResult> {
    const result = await this.run(host, args, options);
    if (result.code !== 0) {
      const said = masked(result.stdout + result.stderr);
      throw new Error(`idc-helper ${args.join(" ")} ended with ${result.code}:\n${said}`);
    }
    return result;
  }
}

export function toldLeak({ where, what, around }: Leak): string {
  return `${what} in ${where}: …${around}…`;
}
