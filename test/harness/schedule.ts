/**
 * Schedules for a clock that runs faster: the product reads its cron expression on a wall clock multiplied by the
 * time factor, so "every half an hour" may be due at any moment. These say when the first instant comes.
 */

/**
 * @param firstInMs real milliseconds until the first instant
 * @returns YAML for the config: every `everyMinutes` simulated minutes (a divisor of 60), from that instant on
 */
export function scheduleFrom(firstInMs: number, everyMinutes: number, factor: number): string {
  const first = new Date((Date.now() + firstInMs) * factor);
  const minutes = Array.from({ length: 60 / everyMinutes }, (_, n) => {
    return (first.getMinutes() + n * everyMinutes) % 60;
  });
  return `schedule: "${first.getSeconds()} ${minutes.sort((a, b) => a - b).join(",")} * * * *"\nsplay: 0\n`;
}

/** Every half an hour, the first time in half an hour: whatever a test does before that is nobody's schedule. */
export function quietSchedule(factor: number): string {
  return scheduleFrom(1_800_000 / factor, 30, factor);
}
