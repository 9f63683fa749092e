/**
 * The environment of the host's own tools that we start. An operator types our commands with keys in it, and a proxy's
 * password may be there: neither is for a tool, nor for what it starts.
 */
const NOT_FOR_TOOLS = /^(?:AWS_|https?_proxy$)/i;

export function toolEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_FOR_TOOLS.test(name)));
}

/** For a command of ours that works with the host's identity, whoever typed the one that starts it. */
export function withoutOwnKeys(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, AWS_SESSION_TOKEN: _token, ...rest } = env;
  return rest;
}

/** For one that fetches something by itself, through the proxy. */
export function withoutCredentials(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AWS_")));
}
