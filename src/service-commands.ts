/**
 * The commands that systemd, `run` and monitoring start again and again, in their plain words. They are understood
 * without the parser of command lines, which `run` would hold for as long as the host is up and the others would load
 * anew each time.
 */
type Perform = () => Promise<number>;

interface Options {
  config?: string;
  json?: boolean;
}

/** @returns null for everything else, and for everything that is not quite so: that is for the parser */
export function serviceCommand(words: readonly string[]): Perform | null {
  const [command = "", ...flags] = words;
  if (words.length === REFRESH.length && REFRESH.every((word, index) => words[index] === word))
    return async () => (await import("./commands/refresh.ts")).refresh({ json: true, resolvedConfig: true });
  const options = plainOptions(flags);
  if (options === null) return null;
  switch (command) {
    case "run":
      return options.json ? null : async () => (await import("./commands/run.ts")).run(options);
    case "refresh":
      return async () => (await import("./commands/refresh.ts")).refresh(options);
    case "sync-agent":
      return async () => (await import("./commands/sync-agent.ts")).sync(options);
    case "status":
      return async () => (await import("./commands/status.ts")).status(options);
    default:
      return null;
  }
}

/** As `run` starts it. */
const REFRESH = ["refresh", "--json", "--resolved-config"] as const;

/** Of a path that any file system takes; the parser has words for others. */
const PLAIN_PATH = /^[\w./][\w./@+-]{0,254}$/;

function plainOptions(flags: readonly string[]): Options | null {
  const options: Options = {};
  for (let at = 0; at < flags.length; at += 1) {
    const path = flags[at + 1];
    if (flags[at] === "--json") options.json = true;
    else if (flags[at] === "--config" && path !== undefined && PLAIN_PATH.test(path)) {
      options.config = path;
      at += 1;
    } else return null;
  }
  return options;
}
