/** What the bundled product finds in place of the globals that tell the time and wait. */
import { host } from "./host.ts";
import { asRunning } from "./virtual-process.ts";
import type { Timer } from "./virtual-time.ts";

interface Timeout extends Timer {
  unref(): Timeout;
}

export function setTimeout(run: () => void, delayMs = 0): Timeout {
  const timer = host.time.after(delayMs, asRunning(run), { isAsync: true });
  const timeout: Timeout = { cancel: timer.cancel, unref: () => timeout };
  return timeout;
}

export function clearTimeout(timeout: Timeout | undefined): void {
  timeout?.cancel();
}

const RealDate = globalThis.Date;

const isoTexts = new Map<number, string>();
const MOST_ISO_TEXTS = 200;

class VirtualDate extends RealDate {
  constructor(...parameters: [] | [number | string | Date]) {
    if (parameters.length === 0) super(host.wallMs);
    else super(...(parameters as [number]));
  }

  static override now(): number {
    return host.wallMs;
  }

  /** The same few moments are written down again and again. */
  override toISOString(): string {
    const ms = this.getTime();
    let text = isoTexts.get(ms);
    if (text === undefined) {
      if (isoTexts.size >= MOST_ISO_TEXTS) isoTexts.clear();
      text = super.toISOString();
      isoTexts.set(ms, text);
    }
    return text;
  }
}

export { VirtualDate as Date };

export const performance = { now: () => host.awakeMs };
