/** What the host's own tools inherit from a command that an operator types. */
import { expect, test } from "vitest";
import { toolEnvironment, withoutCredentials } from "../../../src/host/tool-environment.ts";

const ENV = {
  PATH: "/usr/bin",
  LANG: "C",
  AWS_ACCESS_KEY_ID: "AKIAX",
  AWS_SECRET_ACCESS_KEY: "geheim",
  AWS_SESSION_TOKEN: "geheim",
  AWS_PROFILE: "admin",
  HTTPS_PROXY: "http://me:geheim@proxy:3128",
  https_proxy: "http://me:geheim@proxy:3128",
  http_proxy: "http://me:geheim@proxy:3128",
  no_proxy: "localhost",
};

test("no key and no proxy's password, and everything else", () => {
  expect(toolEnvironment(ENV)).toEqual({ PATH: "/usr/bin", LANG: "C", no_proxy: "localhost" });
});

test("a package manager keeps its proxy, and gets no key", () => {
  const { HTTPS_PROXY } = ENV;
  expect(withoutCredentials(ENV)).toMatchObject({ PATH: "/usr/bin", HTTPS_PROXY });
  expect(Object.keys(withoutCredentials(ENV)).join()).not.toContain("AWS_");
});
