/** What systemd says of the agent's unit, in the words of our report; and what else lives in its control group. */
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { processesIn } from "../../../src/agent/control-group.ts";
import { interpretUnit } from "../../../src/agent/service.ts";
import { parseProperties } from "../../../src/host/systemd.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const UNIT = "codedeploy-agent.service";

test("systemctl's properties are split at their first =, and nothing else is taken for one", () => {
  const text =
    "LoadState=loaded\nControlGroup=/system.slice/a=b.service\nInvocationID=\nWarning: something\n\n";
  expect([...parseProperties(text)]).toEqual([
    ["LoadState", "loaded"],
    ["ControlGroup", "/system.slice/a=b.service"],
    ["InvocationID", ""],
  ]);
});

describe("the state of the unit", () => {
  test.each([
    ["loaded", "active", "running", "running", ""],
    ["loaded", "reloading", "reload", "running", ""],
    ["loaded", "refreshing", "refresh", "running", ""],
    ["loaded", "activating", "auto-restart", "starting", "auto-restart"],
    ["loaded", "deactivating", "stop-sigterm", "stopping", "stop-sigterm"],
    ["loaded", "failed", "failed", "failed", `failed (exit-code); see journalctl -u ${UNIT}`],
    ["loaded", "inactive", "dead", "stopped", `systemctl start ${UNIT} starts it`],
    ["loaded", "maintenance", "x", "unknown", "is maintenance"],
    ["loaded", "", "", "unknown", UNIT],
    ["masked", "inactive", "dead", "masked", `systemctl unmask ${UNIT}`],
    ["masked", "active", "running", "running", "masked, but still runs"],
    ["error", "inactive", "dead", "unknown", "could not load"],
    ["bad-setting", "inactive", "dead", "unknown", "(bad-setting)"],
    ["", "", "", "unknown", "could not load"],
  ])("%s, %s (%s) is %s", (load, active, sub, state, detail) => {
    const text = `LoadState=${load}\nActiveState=${active}\nSubState=${sub}\nResult=exit-code\n`;
    const found = interpretUnit(parseProperties(text), UNIT);
    expect(found.state).toBe(state);
    expect(found.detail).toContain(detail);
  });
});

describe("the processes in a control group", () => {
  const group = (path: string, ...pids: number[]) => {
    mkdirSync(scratch(path), { recursive: true });
    writeFileSync(scratch(path, "cgroup.procs"), pids.map((pid) => `${pid}\n`).join(""));
  };

  test("are those in it and below it", () => {
    group("one/system.slice/a.service", 10, 11);
    group("one/system.slice/a.service/below", 12);
    group("one/system.slice/a.service/below/deeper", 13);
    group("one/system.slice/b.service", 99);
    expect(processesIn("/system.slice/a.service", [scratch("one")])).toEqual([10, 11, 12, 13]);
  });

  test("are none in an empty group, which is not the same as unknown", () => {
    group("one/a.service");
    expect(processesIn("/a.service", [scratch("one")])).toEqual([]);
    expect(processesIn("/b.service", [scratch("one")])).toBeNull();
  });

  test("are found where a version 1 host keeps them", () => {
    mkdirSync(scratch("unified/a.service"), { recursive: true });
    group("systemd/a.service", 10);
    expect(processesIn("/a.service", [scratch("unified"), scratch("systemd")])).toEqual([10]);
  });

  test("are unknown where a part of the group cannot be read: then nothing may be killed", () => {
    group("one/a.service", 10);
    mkdirSync(scratch("one/a.service/below"));
    expect(processesIn("/a.service", [scratch("one")])).toBeNull();
  });
});
