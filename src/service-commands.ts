/**
 * The two commands that systemd and `run` start, in the very words they use. They are understood without the parser of
 * command lines, which `run` would hold for as long as the host is up and each refresh would load anew.
 */
type Perform = () => Promise<number>;

/** @returns null for everything else, and for everything that is not quite so: that is for the parser */
export function serviceCommand(words: readonly string[]): Perform | null {
  const [command, ...flags] = words;
  if (command === "run" && flags.length === 0) return () => run({});
  if (command === "run" && flags.length === 2 && flags[0] === "--config" && flags[1] !== undefined) {
    const [, config] = flags;
    return () => run({ config });
  }
  if (words.length === REFRESH.length && REFRESH.every((word, index) => words[index] === word))
    return async () => (await import("./commands/refresh.ts")).refresh({ json: true, resolvedConfig: true });
  return null;
}

/** As `run` starts it. */
const REFRESH = ["refresh", "--json", "--resolved-config"] as const;

async function run(options: { config?: string }): Promise<number> {
  return (await import("./commands/run.ts")).run(options);
}
