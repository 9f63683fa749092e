/**
 * X.509 certificates for tests, made with nothing but Node: `make test` must not need the openssl command.
 *
 * Only what TLS verification looks at: names, validity, issuer, basic constraints, subject alternative names
 * (RFC 5280; DER as in X.690).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Authority {
  name: string;
  key: KeyObject;
  /** PEM. */
  cert: string;
}

export interface ServerCertificate {
  /** PEM, both. */
  key: string;
  cert: string;
}

export interface ServerOptions {
  /** DNS names and IPv4 addresses. */
  hosts: readonly string[];
  /** Default: from some days ago to tomorrow. */
  validFrom?: Date;
  validTo?: Date;
}

const DAY_MS = 86_400_000;
const TAG = { boolean: 1, integer: 2, bits: 3, octets: 4, oid: 6, utf8: 12, time: 24, sequence: 48, set: 49 };
const OID = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
};

export function createAuthority(name = "A test's own CA"): Authority {
  const { publicKey, privateKey } = keyPair();
  const constraints = extension(OID.basicConstraints, sequence(der(TAG.boolean, Buffer.of(0xff))), true);
  const validity = { from: new Date(Date.now() - 10 * DAY_MS), to: new Date(Date.now() + DAY_MS) };
  const cert = certificate({
    subject: name,
    issuer: name,
    publicKey,
    signer: privateKey,
    validity,
    extensions: [constraints],
  });
  return { name, key: privateKey, cert };
}

export function issueServerCertificate(
  authority: Authority,
  {
    hosts,
    validFrom = new Date(Date.now() - 9 * DAY_MS),
    validTo = new Date(Date.now() + DAY_MS),
  }: ServerOptions,
): ServerCertificate {
  const { publicKey, privateKey } = keyPair();
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host)),
  );
  const cert = certificate({
    subject: hosts[0] ?? "nobody",
    issuer: authority.name,
    publicKey,
    signer: authority.key,
    validity: { from: validFrom, to: validTo },
    extensions: [extension(OID.subjectAltName, sequence(...names))],
  });
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), cert };
}

const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

interface Contents {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  signer: KeyObject;
  validity: { from: Date; to: Date };
  extensions: readonly Buffer[];
}

function certificate({ subject, issuer, publicKey, signer, validity, extensions }: Contents): string {
  const algorithm = sequence(der(TAG.oid, Buffer.from(OID.ecdsaWithSha256)));
  const serial = randomBytes(8);
  serial[0] = 0x41;
  const toBeSigned = sequence(
    der(0xa0, der(TAG.integer, Buffer.of(2))),
    der(TAG.integer, serial),
    algorithm,
    distinguishedName(issuer),
    sequence(time(validity.from), time(validity.to)),
    distinguishedName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(TAG.bits, Buffer.concat([Buffer.of(0), sign("sha256", toBeSigned, signer)]));
  const encoded = sequence(toBeSigned, algorithm, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${encoded.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

function extension(oid: readonly number[], value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(TAG.boolean, Buffer.of(0xff))] : [];
  return sequence(der(TAG.oid, Buffer.from(oid)), ...critical, der(TAG.octets, value));
}

function distinguishedName(commonName: string): Buffer {
  const name = sequence(der(TAG.oid, Buffer.from(OID.commonName)), der(TAG.utf8, Buffer.from(commonName)));
  return sequence(der(TAG.set, name));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  return der(TAG.time, Buffer.from(digits));
}

const sequence = (...parts: Buffer[]): Buffer => der(TAG.sequence, Buffer.concat(parts));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const bytes = length < 0x80 ? [] : length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Buffer.concat([
    Buffer.of(tag, bytes.length === 0 ? length : 0x80 + bytes.length, ...bytes),
    content,
  ]);
}
