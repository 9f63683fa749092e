/** The config that register writes over one that is there. */
import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/failure.ts";
import { composeConfig } from "../../../src/registration/config-text.ts";

const VALUES = {
  serial: "web-1",
  region: "ap-northeast-2",
  roleArn: "arn:aws:iam::123456789012:role/Host",
};
const SET = `serial: web-1\nregion: ap-northeast-2\nrole_arn: ${VALUES.roleArn}\n`;
const compose = (existing: string | null, values = VALUES) =>
  composeConfig(existing, "/etc/idc-codedeploy-helper/config.yaml", values, {}).text;

describe("composeConfig", () => {
  it("writes a new one with a header and nothing else", () =>
    expect(compose(null)).toMatch(/^(?:#.*\n){2}serial: web-1\nregion: .*\nrole_arn: .*\n$/));

  it("leaves one as it is that says it already", () => expect(compose(SET)).toBe(SET));

  it.each([
    ["an empty one", "", SET],
    ["one without a line feed at its end", "log: { level: debug }", `log: { level: debug }\n${SET}`],
    ["comments", `# a\n${SET}# b\n`, `# a\n${SET}# b\n`],
    ["a comment on the line", SET.replace("web-1", "old   # tag 7"), SET.replace("web-1", "web-1   # tag 7")],
    ["a quoted value", SET.replace("web-1", '"old"'), SET],
    ["a value on the next line", SET.replace(": web-1", ":\n  old"), SET],
    ["a folded value", SET.replace(": web-1", ": >-\n  old"), SET],
    [
      "no space before the colon's value",
      `${SET}metrics:\n  textfile: null\n`,
      `${SET}metrics:\n  textfile: null\n`,
    ],
    ["Windows line ends", SET.replaceAll("\n", "\r\n"), SET.replaceAll("\n", "\r\n")],
    ["a region of another", SET.replace("ap-northeast-2", "us-east-1"), SET],
  ])("keeps the rest of %s", (_, existing, expected) => expect(compose(existing)).toBe(expected));

  const PROXY = "http://proxy.example:3128";
  it.each([
    ["as a section of its own", SET, `${SET}network:\n  proxy: ${PROXY}\n`],
    [
      "into the section",
      `${SET}network:\n    ca_bundle: null\n`,
      `${SET}network:\n    proxy: ${PROXY}\n    ca_bundle: null\n`,
    ],
    [
      "in place of none",
      `${SET}network:  # ours\n  # no\n  proxy: null\nlog:\n  level: debug\n`,
      `${SET}network:  # ours\n  # no\n  proxy: ${PROXY}\nlog:\n  level: debug\n`,
    ],
    [
      "and leaves one that says it",
      `${SET}network:\n  proxy: ${PROXY}\n`,
      `${SET}network:\n  proxy: ${PROXY}\n`,
    ],
  ])("puts a proxy %s", (_, existing, expected) =>
    expect(composeConfig(existing, "/etc/c.yaml", { ...VALUES, proxy: PROXY }, {}).text).toBe(expected),
  );

  it("says how to write a proxy where the section is laid out as one line", () => {
    let nextStep = "";
    try {
      composeConfig(`${SET}network: { proxy: null }\n`, "/etc/c.yaml", { ...VALUES, proxy: PROXY }, {});
    } catch (error) {
      nextStep = error instanceof Failure ? error.nextStep : String(error);
    }
    expect(nextStep).toContain(`network:\n  proxy: ${PROXY}`);
  });

  it.each(["00123", "1e5", "true-ish", "null-1", "0x1F"])("keeps %j the text it is", (serial) =>
    expect(composeConfig(null, "/etc/c.yaml", { ...VALUES, serial }, {}).config.serial).toBe(serial),
  );

  it.each([
    ["a flow mapping", "{ serial: web-1 }\n"],
    ["quoted keys", '"serial": old\n'],
  ])("refuses %s, which it could only guess at", (_, existing) =>
    expect(() => compose(existing)).toThrow("is laid out in a way in which its keys cannot be set"),
  );

  it("names the line of one that is broken already", () =>
    expect(() => compose("log: [\n")).toThrow("/etc/idc-codedeploy-helper/config.yaml:"));
});
