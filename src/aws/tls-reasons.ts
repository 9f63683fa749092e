/** Why a TLS connection is not trusted, in words: OpenSSL's own for some of it are a file name and a line number. */

export interface TlsReason {
  /** Goes on from "the TLS connection to … is not trusted: ". */
  why: string;
  nextStep: string;
}

const CERTIFICATE =
  "If a proxy inspects TLS, add its CA with update-ca-trust or network.ca_bundle; check the clock if a certificate is expired or not yet valid.";
const OTHER_END =
  "See what answers in its place: a proxy, its login or block page, or a wrong endpoint or port.";
const OLD_TLS =
  "AWS speaks TLS 1.2 and 1.3. See what answers in its place: a proxy that inspects TLS must be brought up to date.";

const REASONS: readonly [RegExp, TlsReason][] = [
  [/^CERT_HAS_EXPIRED/, { why: "its certificate has expired", nextStep: CERTIFICATE }],
  [/^CERT_NOT_YET_VALID/, { why: "its certificate is not valid yet", nextStep: CERTIFICATE }],
  [
    /^DEPTH_ZERO_SELF_SIGNED_CERT/,
    { why: "its certificate is self-signed and not one of a trusted CA", nextStep: CERTIFICATE },
  ],
  [
    /^(?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT))/,
    { why: "its certificate is of a CA that this host does not trust", nextStep: CERTIFICATE },
  ],
  [
    /^(?:ERR_TLS_CERT_ALTNAME|HOSTNAME_MISMATCH)/,
    { why: "its certificate is for another host", nextStep: CERTIFICATE },
  ],
  [
    /alert protocol version|unsupported protocol|UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/,
    { why: "it speaks no TLS newer than 1.1", nextStep: OLD_TLS },
  ],
  [
    /wrong version number|WRONG_VERSION_NUMBER|packet length too long|PACKET_LENGTH_TOO_LONG/,
    { why: "what answers there does not speak TLS", nextStep: OTHER_END },
  ],
];

/**
 * @param code Node's or OpenSSL's name of the error
 * @param text the error's own, in one line
 */
export function tlsReason(code: string, text: string): TlsReason {
  const known = REASONS.find(([pattern]) => pattern.test(code) || pattern.test(text))?.[1];
  if (known === undefined) return { why: text, nextStep: CERTIFICATE };
  const [, names] = /does not match certificate's altnames: (.+)/.exec(text) ?? [];
  return names === undefined ? known : { ...known, why: `${known.why}: ${names}` };
}
