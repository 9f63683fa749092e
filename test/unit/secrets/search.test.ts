/** The search for secrets finds them, in every form, and the rules let nothing else pass: it must not be able to pass by being blind. */
import { describe, expect, test } from "vitest";
import { fixedSecret, SECRET_KINDS } from "../../aws-emulator/identity/canary.ts";
import { described, LONGEST_FORM, masked, sightingsIn } from "../../faults/secrets/forms.ts";
import { disagreement, permissionTable, rowFor } from "../../faults/secrets/permission-table.ts";
import { type Exposure, isOnPurpose } from "../../faults/secrets/process-watch.ts";
import { StreamSearch } from "../../faults/secrets/stream-search.ts";

const SECRET = fixedSecret("base");

describe("a secret is found", () => {
  test.each(SECRET_KINDS)("of the kind %s, and named", (kind) => {
    expect(described(sightingsIn(`before ${fixedSecret(kind)} after`))).toBe(kind);
  });

  test.each([
    ["in JSON", JSON.stringify({ key: `"${SECRET}\n` })],
    ["in a URL", encodeURIComponent(`a=${SECRET}&`)],
    ["cut off behind", SECRET.slice(0, 12)],
    ["cut off in front", SECRET.slice(-12)],
  ])("%s", (_, text) => {
    expect(described(sightingsIn(text))).toBe("base");
  });

  test.each([0, 1, 2, 3])("in base64, %i bytes from its beginning", (before) => {
    const text = Buffer.from(`${"x".repeat(before)}${SECRET}`);
    expect(described(sightingsIn(text.toString("base64")))).toBe("base (base64)");
    expect(described(sightingsIn(text.toString("base64url")))).toBe("base (base64)");
  });

  test("in hexadecimal, and in two-byte text", () => {
    expect(described(sightingsIn(Buffer.from(SECRET).toString("hex")))).toBe("base (hexadecimal)");
    expect(described(sightingsIn(Buffer.from(SECRET).toString("hex").toUpperCase()))).toBe(
      "base (hexadecimal)",
    );
    expect(described(sightingsIn(Buffer.from(SECRET, "utf16le")))).toBe("base (two-byte)");
  });

  test("that comes in two parts of a stream, wherever it is cut", () => {
    const before = "-".repeat(LONGEST_FORM * 3);
    for (let at = 1; at < 10; at += 1) {
      const search = new StreamSearch();
      search.take(Buffer.from(before + SECRET.slice(0, at)));
      search.take(Buffer.from(SECRET.slice(at, 10)));
      expect(search.seen.at(-1)?.kind).toBe("base");
    }
  });

  test("and is not shown again", () => {
    expect(masked(`key = ${SECRET}, and so on`)).not.toContain(SECRET.slice(0, 12));
  });
});

describe("in a process, a secret is on purpose", () => {
  const operators: Exposure = {
    where: "environ",
    name: "AWS_SECRET_ACCESS_KEY",
    kind: "operator",
    command: "/usr/bin/idc-helper register",
  };

  test("where an operator's own key is in the environment of the command that they typed", () => {
    expect(isOnPurpose(operators)).toBe(true);
  });

  test.each<[what: string, change: Partial<Exposure>]>([
    ["in its arguments", { where: "argv", name: "" }],
    ["in another variable", { name: "KEY" }],
    ["in a tool that it started", { command: "systemctl show --property User" }],
    ["in the service", { command: "/x/node /x/idc-helper.cjs run" }],
    ["in the service's refresh", { command: "/x/node /x/idc-helper.cjs refresh --json --resolved-config" }],
    ["in root's oneshot", { command: "/usr/bin/idc-helper sync-agent" }],
    ["where it is the base key", { kind: "base" }],
    ["where it is a session's", { kind: "session token", name: "AWS_SESSION_TOKEN" }],
    ["where it is a proxy's password under that name", { kind: "proxy password" }],
  ])("but not %s", (_, change) => {
    expect(isOnPurpose({ ...operators, ...change })).toBe(false);
  });
});

describe("docs/permissions.md", () => {
  const rows = permissionTable();
  const credentials = {
    path: "/var/lib/idc-codedeploy-helper/credentials",
    kind: "file",
    owner: "idc-helper:idc-helper",
    mode: "0600",
  } as const;

  test("agrees with a file that is as it says", () => {
    expect(disagreement(rows, credentials)).toBeUndefined();
    expect(rowFor(rows, credentials)?.mayHoldSecret).toBe(true);
  });

  test.each([
    ["another mode", { mode: "0640" }, "is idc-helper:idc-helper 0640, not idc-helper:idc-helper 0600"],
    ["another owner", { owner: "root:root" }, "is root:root 0600, not idc-helper:idc-helper 0600"],
    ["another name", { path: "/var/lib/idc-codedeploy-helper/credentials.bak" }, "is in no row"],
    ["another kind", { kind: "directory" }, "is in no row"],
  ] as const)("does not with %s", (_, change, fault) => {
    expect(disagreement(rows, { ...credentials, ...change })).toContain(fault);
  });

  test("lets status and records hold none", () => {
    const path = "/run/idc-codedeploy-helper/status.json";
    expect(rowFor(rows, { path, kind: "file" })).toMatchObject({ mayHoldSecret: false, mode: "0644" });
  });
});
