/**
 * Times of day for people, in the host's own time zone. Without `Intl`, whose first use takes as long as half of Node's
 * start.
 */

/** @returns such as 2026-11-28 15:04:05 */
export function localDateTime(date: Date): string {
  if (Number.isNaN(date.getTime())) return String(date);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${day.map(twoDigits).join("-")} ${localTime(date)}`;
}

/** @returns such as 15:04:05 */
export function localTime(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

const twoDigits = (number: number): string => String(number).padStart(2, "0");
