/**
 * Which AWS credentials a script uses, as far as its text tells: files, profiles and keys that it names. Pure.
 *
 * What is worked out while a script runs cannot be known; a hint only says where to look first.
 */

export interface AwsHints {
  /** Files named by AWS_SHARED_CREDENTIALS_FILE. */
  credentialsFiles: string[];
  /** Files named by AWS_CONFIG_FILE. */
  configFiles: string[];
  /** Profiles named anywhere, in the order of their mention. */
  profiles: string[];
  /** A key in clear text in the environment or in the script. */
  key: { accessKeyId: string; secretAccessKey: string } | null;
}

const VALUE = `["']?([^\\s"',;)]+)["']?`;
/** `AWS_PROFILE=x`, `export AWS_PROFILE="x"`, `os.environ["AWS_PROFILE"] = "x"`, `ENV['AWS_PROFILE'] = 'x'` */
const variable = (name: string) => new RegExp(`\\b${name}["'\\]]*\\s*=\\s*${VALUE}`, "g");
/** `--profile x`, `profile_name="x"`, `profile: 'x'` */
const PROFILE_ARGUMENT = new RegExp(`(?:--profile[\\s=]+|\\bprofile(?:_name)?\\s*[:=]\\s*)${VALUE}`, "g");

/** @param texts crontab settings as `NAME=value`, the command, the scripts */
export function findHints(texts: readonly string[], home: string): AwsHints {
  const text = texts.join("\n");
  const all = (pattern: RegExp) => unique([...text.matchAll(pattern)].map(([, value = ""]) => value));
  const files = (name: string) =>
    all(variable(name))
      .map((path) => path.replace(/^~(?=\/)|^\$\{?HOME\}?(?=\/)/, home))
      .filter((path) => path.startsWith("/"));
  const [accessKeyId] = all(variable("(?:AWS_ACCESS_KEY_ID|aws_access_key_id)")).filter(isKeyId);
  const [secretAccessKey] = all(variable("(?:AWS_SECRET_ACCESS_KEY|aws_secret_access_key)")).filter(isSecret);
  return {
    credentialsFiles: files("AWS_SHARED_CREDENTIALS_FILE"),
    configFiles: files("AWS_CONFIG_FILE"),
    profiles: all(variable("AWS_(?:DEFAULT_)?PROFILE")).concat(all(PROFILE_ARGUMENT)).filter(isProfile),
    key: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : null,
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Of a user: one that begins with ASIA is a session's own. */
const isKeyId = (value: string) => /^AKIA[A-Z0-9]{12,}$/.test(value);
const isSecret = (value: string) => /^[A-Za-z0-9/+]{40}$/.test(value);
/** Not a variable. */
const isProfile = (value: string) => /^[\w.@/+-]{1,128}$/.test(value);
