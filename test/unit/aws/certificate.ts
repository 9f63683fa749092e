/**
 * A self-signed certificate for 127.0.0.1, made here so that the tests need nothing but Node (RFC 5280, DER).
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface ServerIdentity {
  key: string;
  cert: string;
}

/** @param name the address that it is for @param notAfter when it expires */
export function selfSigned(name = "127.0.0.1", notAfter = new Date(Date.now() + 86_400_000)): ServerIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 86_400_000);
  const subject = sequence(set(sequence(oid([0x55, 0x04, 0x03]), der(0x0c, Buffer.from("idc-unit")))));
  const algorithm = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
  const alternative = der(0x87, Buffer.from(name.split(".").map(Number)));
  const extensions = sequence(
    extension([0x55, 0x1d, 0x11], sequence(alternative)),
    extension([0x55, 0x1d, 0x13], sequence(der(0x01, Buffer.from([0xff])))),
  );
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", body, privateKey)]));
  const base64 = sequence(body, algorithm, signature).toString("base64");
  const lines = base64.match(/.{1,64}/g)?.join("\n") ?? "";
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]) => der(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]) => der(0x31, Buffer.concat(parts));
const oid = (bytes: number[]) => der(0x06, Buffer.from(bytes));
const integer = (bytes: Buffer) => der(0x02, bytes);
const time = (at: Date) => der(0x18, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, "")));
const extension = (id: number[], value: Buffer) => sequence(oid(id), der(0x04, value));
