/** The plain words that are used all the time are understood without the parser; everything else is the parser's. */
import { expect, test } from "vitest";
import { REFRESH_WORDS } from "../../src/refresher/refresh-child.ts";
import { serviceCommand } from "../../src/service-commands.ts";

test.each([
  [["run"]],
  [["run", "--config", "/etc/x.yaml"]],
  [[...REFRESH_WORDS]],
  [["refresh"]],
  [["refresh", "--json", "--config", "x.yaml"]],
  [["sync-agent"]],
  [["status", "--config", "/etc/x.yaml", "--json"]],
])("%j is understood without the parser", (words) => {
  expect(serviceCommand(words)).toBeTypeOf("function");
});

test.each([
  [[]],
  [["--help"]],
  [["run", "--help"]],
  [["run", "--config"]],
  [["run", "--config=/etc/x.yaml"]],
  [["run", "--config", "/etc/x.yaml", "more"]],
  [["run", "more"]],
  [["run", "--json"]],
  [["status", "-h"]],
  [["status", "--config", "--json"]],
  [["status", "--config", ""]],
  [["status", "--config", "x".repeat(300)]],
  [["status", "--jso"]],
  [["doctor"]],
  [["refresh", "--json", "--resolved-config", "--config", "/etc/x.yaml"]],
  [["refresh", "--json --resolved-config"]],
  [["running"]],
])("%j is left to the parser of command lines, which knows what is wrong with it", (words) => {
  expect(serviceCommand(words)).toBeNull();
});
