/**
 * The proxy in the environment of whoever types `register`. The service gets none of that environment, so what is needed
 * to reach AWS has to stand in its config.
 */
import { judgeProxy, type OldProxy } from "../adoption/old-proxy.ts";

/** `none` also where AWS is an exception from it. */
export function environmentProxy(env: NodeJS.ProcessEnv): OldProxy {
  const value = env.https_proxy || env.HTTPS_PROXY;
  if (!value || /\bamazonaws\.com/i.test(env.no_proxy || env.NO_PROXY || "")) return { kind: "none" };
  return judgeProxy(value);
}
