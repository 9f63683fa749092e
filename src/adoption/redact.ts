/**
 * Commands of somebody else's crontab are shown before they are disabled, and some carry secrets: those are blotted
 * out, rather one word too many than one too few. An access key id is no secret.
 */

/** A quote that is not closed hides all that follows. */
const VALUE = `"[^"]*"?|'[^']*'?|[^\\s"';|&]+`;
/** `SECRET=VALUE`, `"token": "VALUE"`, `--secret-key VALUE`; not the name of a command or of a file. */
const NAMED = new RegExp(
  `((?<![\\w-])[\\w-]*(?:secret|token|passw|pwd)[\\w-]*["']?(?<!file|path|dir)\\s*[=:]\\s*)(${VALUE})`,
  "gi",
);
const OPTION = new RegExp(
  `((?<=^|\\s)--?[\\w-]*(?:secret|token|passw|pwd)[\\w-]*(?<!file|path|dir)\\s+)(${VALUE})`,
  "gi",
);
const IN_URL = /(\/\/)[^\s/@]+@/g;
/** A secret access key has 40 of these characters, a session token more. */
const BARE =
  /(?<![\w/+.-])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40,}={0,2}(?![\w/+.-])/g;
const SECRET_KEY_LENGTH = 40;
const LONGEST = 300;
/** Of a command that another user may have made as long as a crontab. */
const MOST_READ = 4_000;

export function redacted(command: string): string {
  const shown = command
    .slice(0, MOST_READ)
    .replace(IN_URL, "$1***@")
    .replace(NAMED, "$1***")
    .replace(OPTION, "$1***")
    .replace(BARE, (word) => (word.startsWith("/") && word.length > SECRET_KEY_LENGTH ? word : "***"))
    .replace(/[^\x20-\x7e]/g, "?");
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
}
