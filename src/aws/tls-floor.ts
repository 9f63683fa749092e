/**
 * What nobody may talk us out of: certificates are verified, TLS is 1.2 or newer, and the ciphers are Node's own choice.
 *
 * Node takes all three from the environment as well (NODE_TLS_REJECT_UNAUTHORIZED; --tls-min-v1.0 and --tls-cipher-list
 * in NODE_OPTIONS), where a setting made for some other program would reach us.
 */
import { constants } from "node:crypto";
import tls from "node:tls";

/** For the whole process, and so for the connections that the SDK's credential providers make for themselves. */
export function holdTlsFloor(): void {
  // Node looks at it anew at each connection, and the children that we start would inherit it.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  tls.DEFAULT_MIN_VERSION = "TLSv1.2";
  // A --tls-max-v1.2 is left in force.
  if (tls.DEFAULT_MAX_VERSION !== "TLSv1.2") tls.DEFAULT_MAX_VERSION = "TLSv1.3";
  tls.DEFAULT_CIPHERS = constants.defaultCoreCipherList;
}
