/** Whatever stands on the command line, what is said of it names the option and is fit for a terminal. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { performCommandLine } from "../../src/command-line.ts";
import { EXIT } from "../../src/exit-codes.ts";
import { readPresentText } from "../../src/registration/situation.ts";

afterEach(() => vi.restoreAllMocks());

const performed = (words: readonly string[], misused = (_: string) => {}) =>
  performCommandLine(["node", "idc-helper", ...words], misused);

test("control characters in what is no option reach neither the terminal nor a program that asked for JSON", async () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  expect(await performed(["iam", "-\x1b[2J"], (message) => written.push(message))).toBe(EXIT.usage);
  expect(written.join("")).toContain("unknown option '-?[2J'");
  expect(written.join("")).not.toMatch(/(?!\n)\p{Cc}/u);
});

describe.each([
  ["adopt", "--config"],
  ["register", "--config"],
  ["check-config", "--config"],
  ["adopt", "--base-credentials"],
  ["register", "--base-credentials"],
])("%s %s", (command, option) => {
  test("with a name that no file can have is told with the option, and without the value", async () => {
    await expect(performed([command, option, "a".repeat(100_000)])).rejects.toMatchObject({
      kind: "usage",
      message: `${option} takes the name of a file, which has at most 4095 bytes; 100000 were given`,
    });
  });
});

test.each(["a".repeat(300), "/dev/zero", "/", "/dev/null/x"])(
  "a config of the name %.20s is told as a config that cannot be read",
  async (path) => {
    const message = expect.stringContaining(`${path} cannot be read`);
    await expect(readPresentText(path)).rejects.toMatchObject({ kind: "config", message });
  },
);
