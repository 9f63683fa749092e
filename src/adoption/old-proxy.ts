/**
 * The proxy through which the old cron job reaches AWS, as its crontab and scripts name it. Our service gets none of
 * their environment, so it has to be carried over into our config. Pure.
 */

export type OldProxy =
  | { kind: "none" }
  | { kind: "found"; url: string }
  /** It is there and cannot be carried over, for a reason that a person is told; its value may be a secret. */
  | { kind: "unusable"; why: string };

const VALUE = `["']?([^\\s"',;)}]+)["']?`;
/** `HTTPS_PROXY=x`, `export https_proxy="x"`, `os.environ["HTTPS_PROXY"] = "x"` */
const variable = (name: string) => new RegExp(`\\b${name}["'\\]]*\\s*=\\s*${VALUE}`, "gi");
/** boto3's `Config(proxies={"https": "x"})` */
const PROXIES = new RegExp(`proxies\\s*=\\s*\\{[^}]*["']https["']\\s*:\\s*${VALUE}`, "g");

/** `NO_PROXY=localhost,.amazonaws.com`: AWS is reached directly, through a VPN or Direct Connect. */
const AWS_EXCEPTED = /\bno_proxy["'\]]*\s*=.*\bamazonaws\.com/i;

/** @param texts crontab settings as `NAME=value`, commands, scripts */
export function findOldProxy(texts: readonly string[]): OldProxy {
  const text = texts.map(withoutComments).join("\n");
  const named = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, value = ""]) => value);
  const [value] = [...named(variable("https_proxy")), ...named(PROXIES)].filter(Boolean);
  if (value === undefined) return { kind: "none" };
  if (AWS_EXCEPTED.test(text)) return { kind: "none" };
  return value.includes("$")
    ? { kind: "unusable", why: "its address is worked out while the job runs" }
    : judgeProxy(value);
}

/** Whether it may stand in a config that everyone can read; nothing of it is repeated where not. */
export function judgeProxy(value: string): Exclude<OldProxy, { kind: "none" }> {
  // What curl and Python take without a scheme is plain HTTP.
  const url = URL.parse(/^\w+:\/\//.test(value) ? value : `http://${value}`);
  if (url === null || !/^https?:$/.test(url.protocol))
    return { kind: "unusable", why: "it is not an http:// proxy" };
  if (url.username || url.password)
    return {
      kind: "unusable",
      why: "it has a password, which has no place in a config that everyone may read",
    };
  return { kind: "found", url: `${url.protocol}//${url.host}` };
}

/** Whole lines only: within a line, what looks like one may be part of a value. */
function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, "");
}
