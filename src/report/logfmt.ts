/** An event and its fields as words on one line, whatever is in them. */
import type { Fields } from "./log.ts";

export function logfmt(event: string, fields: Fields): string {
  const words = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return [event, ...words].join(" ");
}

/** A value with anything but plain characters stands in quotes. */
function quoted(value: Fields[string]): string {
  const text = String(value);
  if (/^[^\s"=\\\p{Cc}]+$/u.test(text)) return text;
  // JSON leaves these as they are: line separators, and controls that some terminals act on.
  return JSON.stringify(text).replace(/[\x7f-\x9f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
