/** The certificate authorities of a connection, each once. */

/**
 * Most of Node's list is in the host's store as well, and parsing it twice is the larger part of a connection's cost.
 *
 * @param certificates one in each, PEM
 * @param bundles any number in each, with whatever stands between them
 * @returns those that no bundle has
 */
export function withoutTwins(certificates: readonly string[], bundles: readonly string[]): string[] {
  const blocks = bundles.flatMap((text) => text.match(CERTIFICATE) ?? []);
  const known = new Set(blocks.map(onOneLine));
  return certificates.filter((certificate) => !known.has(onOneLine(certificate)));
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** However its lines are broken. */
function onOneLine(certificate: string): string {
  return certificate.replace(/\s+/g, "");
}
