/**
 * Gives back what a refresh has left behind. V8 collects when it is asked for memory, and each refresh asks for a few
 * kilobytes that outlive the small collections: left to itself it would collect after some 600 refreshes, which is twelve
 * days, and hold 13 kB more after each of them until then (docs/reliability.md, Endurance).
 */

/** There because `run` is started with --expose-gc (packaging/bundle.ts); where it is not, V8 decides as always. */
type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/** Takes some milliseconds: for when there is nothing else to do. */
export function giveBackMemory(): void {
  const { gc } = globalThis as { gc?: Collect };
  // As if memory were short: the other flavour keeps 1.5 MB for what may come, and nothing comes for half an hour.
  gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
