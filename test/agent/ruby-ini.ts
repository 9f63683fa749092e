/**
 * An INI file as the AWS SDK for Ruby reads it (`ini_parser.rb` of aws-sdk-core 3.168), oddities included: quotes
 * stay part of the value, white space followed by `;` starts a comment, and a profile without a key is no profile.
 *
 * `make readers` holds it against the original with generated files. JavaScript's `\s`, `.` and `$` differ from
 * Ruby's, so the patterns spell out what Ruby's stand for.
 */
const SPACE = "[ \\t\\r\\n\\f\\v]";
const LINE_END = `(?:\\n|$)`;
const COMMENT = new RegExp(`${SPACE};`);
const PROFILE = new RegExp(`^\\[([^\\[\\]]+)\\]${SPACE}*(?:#[^\\n]+)?${LINE_END}`);
const NAMED_PROFILE = new RegExp(`^profile${SPACE}+([^\\n]+?)${LINE_END}`);
const ITEM = new RegExp(`^([^\\n]+?)${SPACE}*=${SPACE}*([^\\n]+?)${SPACE}*${LINE_END}`);
const NESTED_ITEM = new RegExp(`^${SPACE}*([^\\n]+?)${SPACE}*=${SPACE}*([^\\n]+?)${SPACE}*${LINE_END}`);
const PREFIX = new RegExp(`^([^\\n]+?)${SPACE}*=${SPACE}*${LINE_END}`);
const INDENTED = new RegExp(`^${SPACE}`);

export type IniValue = string | Map<string, string>;
export type IniProfile = Map<string, IniValue>;

/** @throws {RangeError} where the SDK raises `IndexError` */
export function parseRubyIni(content: string): Map<string, IniProfile> {
  const profiles = new Map<string, IniProfile>();
  let profileName: string | undefined;
  let prefix: string | undefined;
  for (const line of content.match(/[^\n]*\n|[^\n]+/g) ?? []) {
    const text = withoutComment(line);
    const header = PROFILE.exec(text)?.[1];
    if (header !== undefined) {
      profileName = NAMED_PROFILE.exec(header)?.[1] ?? header;
      continue;
    }
    if (profileName === undefined) continue;
    const [, key, value] = ITEM.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      prefix = PREFIX.exec(text)?.[1] ?? prefix;
    } else if (INDENTED.test(key)) {
      addNested(profileIn(profiles, profileName), prefix ?? "", text);
    } else {
      prefix = undefined;
      profileIn(profiles, profileName).set(key, value);
    }
  }
  return profiles;
}

/** Ruby splits at the line's start too, and so never sees a comment that begins with the line's first character. */
function withoutComment(line: string): string {
  const at = line.slice(1).search(COMMENT);
  return at < 0 ? line : line.slice(0, at + 1);
}

function profileIn(profiles: Map<string, IniProfile>, name: string): IniProfile {
  const known = profiles.get(name);
  if (known) return known;
  const created: IniProfile = new Map();
  profiles.set(name, created);
  return created;
}

function addNested(profile: IniProfile, prefix: string, text: string): void {
  const [, key, value] = NESTED_ITEM.exec(text) ?? [];
  if (key === undefined || value === undefined) return;
  const known = profile.get(prefix) ?? new Map<string, string>();
  profile.set(prefix, known instanceof Map ? known.set(key, value) : withAssigned(known, key, value));
}

/** Ruby's `string[key] = value`, which the SDK runs into where a plain value has the name of a nested one. */
function withAssigned(text: string, key: string, value: string): string {
  const at = text.indexOf(key);
  if (at < 0) throw new RangeError("string not matched");
  return text.slice(0, at) + value + text.slice(at + key.length);
}
