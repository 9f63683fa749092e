/** No authority is lost, and none is parsed twice. */
import { expect, test } from "vitest";
import { withoutTwins } from "../../../src/aws/trust-list.ts";
import { selfSigned } from "./certificate.ts";

const [first, second, third] = [selfSigned(), selfSigned(), selfSigned()].map(({ cert }) => cert);
const all = [first, second, third] as string[];

test("what a bundle has is left out, wherever it stands in it and however its lines are broken", () => {
  const broken = second?.replace(/(?<=-\n)[^-]+/, (base64) => `${base64.replaceAll("\n", "")}\r\n`);
  expect(broken).not.toBe(second);
  expect(withoutTwins(all, [`# A comment - with dashes\n${broken}# Another\n${first}`])).toEqual([third]);
});

test("what no bundle has stays, in its order", () => {
  expect(withoutTwins(all, [])).toEqual(all);
  expect(withoutTwins(all, ["", "no certificate", selfSigned().cert])).toEqual(all);
});

test("a certificate that a bundle has only in part, or in a comment of its own kind, stays", () => {
  expect(withoutTwins(all, [all[0]?.slice(0, 200) ?? ""])).toEqual(all);
  expect(withoutTwins(all, [(all[0] ?? "").replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE")])).toEqual(all);
});
