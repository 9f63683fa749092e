/** Durations as an operator writes them: `90s`, `15m`, `1h30m`, and back. */
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const PATTERN = /^(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?$/;

/** @returns milliseconds, or null when the text is no duration; a bare `0` is one */
export function parseDuration(text: string): number | null {
  if (text === "0") return 0;
  if (text === "" || !PATTERN.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[hms])/g)) {
    total += Number(amount) * UNITS[unit as keyof typeof UNITS];
  }
  return Number.isSafeInteger(total) ? total : null;
}

/** The two largest units that matter: `1 h 5 min`, `12 s`. For people; never parsed back. */
export function formatDuration(durationMs: number): string {
  const sign = durationMs < 0 ? "-" : "";
  const exact = Math.round(Math.abs(durationMs) / 1_000);
  const seconds = exact < 600 ? exact : Math.round(exact / 60) * 60;
  if (seconds < 60) return `${sign}${seconds} s`;
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3_600), "h"],
    [Math.floor((seconds % 3_600) / 60), "min"],
    [seconds < 600 ? seconds % 60 : 0, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return sign + shown.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}
