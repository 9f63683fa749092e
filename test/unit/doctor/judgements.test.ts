/** Facts in, finding out: what an integration test cannot bring about, or only slowly. */
import { describe, expect, test } from "vitest";
import type { SyncAnswer } from "../../../src/agent/exchange.ts";
import { judgeEvents, judgeLog, judgeProxies } from "../../../src/doctor/checks/agent-traffic.ts";
import { judgeClock } from "../../../src/doctor/checks/host.ts";
import { judgeProxy, judgeWay } from "../../../src/doctor/checks/network.ts";
import { judgeRecord, registerCommand } from "../../../src/doctor/checks/registration.ts";
import { judgeActive, judgeEnabled } from "../../../src/doctor/checks/service.ts";
import { judgeLoaded, judgeRunning, judgeVersion } from "../../../src/doctor/judgements/agent.ts";
import {
  describeFailure,
  judgeAge,
  judgeCaller,
  judgeChain,
  judgeMode,
} from "../../../src/doctor/judgements/base-credentials.ts";
import {
  judgeFile,
  judgePath,
  judgeReadable,
  judgeSecrecy,
  judgeValues,
} from "../../../src/doctor/judgements/credentials-file.ts";
import { placeOf } from "../../../src/doctor/places.ts";
import { Failure } from "../../../src/failure.ts";
import { readBootId } from "../../../src/host/clock.ts";
import { ROLE_ARN, SESSION_ARN, sampleConfig } from "./sample-config.ts";

describe("the credentials file", () => {
  const facts = {
    path: "/c",
    state: "ours",
    leftMs: 60_000,
    record: null,
    refresh: "idc-helper refresh",
  } as const;

  test("expired, outdated, and good", () => {
    expect(judgeFile({ ...facts, leftMs: -3_600_000 })).toMatchObject({
      state: "fail",
      seen: "what /c holds expired 1 h ago",
      mend: ["idc-helper refresh"],
    });
    expect(judgeFile({ ...facts, state: "outdated" }).state).toBe("fail");
    expect(judgeFile(facts).state).toBe("pass");
  });

  test("a group that may read it, though none is configured", () => {
    expect(judgeSecrecy("/c", 0o640, null)).toMatchObject({ state: "warn", mend: ["chmod 0600 /c"] });
    expect(judgeSecrecy("/c", 0o640, "codedeploy").state).toBe("pass");
    expect(judgeSecrecy("/c", 0o660, "codedeploy")).toMatchObject({ state: "fail", mend: ["chmod 0640 /c"] });
  });

  test("a directory that keeps the agent's user out is named", () => {
    const user = { name: "codedeploy", userId: 7, groupIds: [7], home: "/opt/x", from: "User= of its unit" };
    const finding = judgeReadable("/var/lib/h/credentials", user, "/var/lib/h");
    expect(finding).toMatchObject({ state: "fail", seen: expect.stringContaining("because of /var/lib/h") });
    expect(finding.mend).toContain("id -gn codedeploy");
  });

  test("the default file of the agent's own user", () => {
    const places = { home: "/opt/agent", name: "codedeploy", shared: null };
    expect(judgePath("/opt/agent/.aws/credentials", places).state).toBe("fail");
    expect(judgePath("/var/lib/x/credentials", places).state).toBe("pass");
  });

  test("a profile that is not there, and one that lacks a key", () => {
    expect(judgeValues("/c", "", "default", "r").seen).toMatch(/no profile default/);
    const half = "[default]\naws_access_key_id = A\naws_secret_access_key = B\n";
    expect(judgeValues("/c", half, "default", "r")).toMatchObject({
      state: "fail",
      seen: "profile default has no aws_session_token",
    });
  });
});

describe("the base credentials", () => {
  test("those of the account itself", () => {
    expect(judgeCaller({ arn: "arn:aws:iam::123456789012:root" })).toMatchObject({
      state: "warn",
      mend: ["idc-helper iam"],
    });
  });

  test("none of ours, but the service has found some", () => {
    expect(judgeChain("/b", true).state).toBe("pass");
    expect(judgeChain("/b", false).state).toBe("fail");
  });

  test("modes", () => {
    expect(judgeMode("/b", { uid: 0, gid: 9, mode: 0o100640 }, 9).state).toBe("pass");
    expect(judgeMode("/b", { uid: 0, gid: 8, mode: 0o100640 }, 9).seen).toMatch(/may not read/);
    expect(judgeMode("/b", { uid: 0, gid: 9, mode: 0o100660 }, 9).seen).toMatch(/may change/);
    expect(judgeMode("/b", { uid: 5, gid: 9, mode: 0o100640 }, 9).state).toBe("warn");
  });

  test.each([
    [0, "pass"],
    [90, "pass"],
    [91, "warn"],
  ])("a key of %i days", (days, state) => {
    expect(judgeAge("/b", days * 86_400_000 + 5_000).state).toBe(state);
  });

  test("AWS's own trouble is no failure of the host", () => {
    const throttled = new Failure({ kind: "throttled", message: "m", nextStep: "n" });
    expect(describeFailure(throttled, [])).toMatchObject({ state: "warn", seen: "m", advice: "n" });
    const clock = new Failure({ kind: "clock_off", message: "m", nextStep: "n" });
    expect(describeFailure(clock, []).mend).toEqual(["chronyc makestep"]);
  });
});

describe("the agent", () => {
  test.each([
    ["1.6.0", "pass"],
    ["1.8.1-36", "pass"],
    ["2.0.0", "pass"],
    ["1.5.99", "warn"],
    ["1.10.0", "pass"],
    ["0.9", "warn"],
  ])("version %s", (version, state) => {
    expect(judgeVersion(version, false, "idc-helper register").state).toBe(state);
  });

  test("a version that nobody tells is no fault", () => {
    expect(judgeVersion(null, false, "")).toMatchObject({ state: "unknown", counts: false });
  });

  const worker = { pid: 812, startTicks: 1 };
  const running = { state: "running", detail: "", master: worker, worker } as const;
  const context = { unit: "a.service", logFile: "/log", flaps: false };

  test.each([
    [{ ...running, worker: null }, context, /has no worker/],
    [running, { ...context, flaps: true }, /die one after another/],
    [{ ...running, state: "masked", detail: "a.service is masked" } as const, context, /masked/],
    [{ ...running, state: "failed", detail: "core-dump" } as const, context, /core-dump/],
  ])("that polls nothing: %#", (service, facts, seen) => {
    expect(judgeRunning(service, facts)).toMatchObject({ state: "fail", seen: expect.stringMatching(seen) });
  });

  const nowMs = Date.now();
  const loaded = {
    worker,
    workerStartedMs: nowMs - 60_000,
    configChangedMs: nowMs - 120_000,
    answer: null,
    agent: null,
    unit: "a.service",
  };
  const answer = (reload: string, atMs: number) =>
    ({
      at: new Date(atMs).toISOString(),
      bootId: readBootId(),
      agent: { workerPid: worker.pid },
      reload: { state: reload, detail: "it did not end", nextStep: "Look." },
    }) as unknown as SyncAnswer;
  const mustLoad = (reload: string) => ({
    ...({ reload, reload_detail: "event", next_step: "" } as NonNullable<
      Parameters<typeof judgeLoaded>[0]["agent"]
    >),
    must_load: { since: new Date(nowMs - 10_000).toISOString(), reason: "x", lapses_at: "" },
  });

  test("has loaded what came before it, and not what came after", () => {
    expect(judgeLoaded(loaded).state).toBe("pass");
    expect(judgeLoaded({ ...loaded, configChangedMs: nowMs - 1_000 })).toMatchObject({
      state: "fail",
      mend: ["systemctl reload a.service"],
    });
  });

  test("a config that was touched but says the same: the oneshot's word counts", () => {
    const touched = { ...loaded, configChangedMs: nowMs - 5_000 };
    expect(judgeLoaded({ ...touched, answer: answer("not_needed", nowMs) }).state).toBe("pass");
    expect(judgeLoaded({ ...touched, answer: answer("not_needed", nowMs - 30_000) }).state).toBe("fail");
  });

  test("credentials that are still to be loaded: a reload that waits is a warning, one that failed a failure", () => {
    expect(judgeLoaded({ ...loaded, agent: mustLoad("deferred") }).state).toBe("warn");
    expect(judgeLoaded({ ...loaded, agent: mustLoad("failed") }).state).toBe("fail");
    expect(judgeLoaded({ ...loaded, answer: answer("failed", nowMs) })).toMatchObject({
      state: "fail",
      seen: "it did not end",
    });
  });

  test("its log: trouble that is over, and a log that is not there yet", () => {
    const place = { logFile: "/log", unit: "a.service" };
    const troubles = { expired: "x", denied: null, secureDenied: null, recoveredAt: "2026-01-31T12:00:00" };
    expect(judgeLog({ text: "" }, troubles, place).state).toBe("pass");
    expect(judgeLog({ missing: true }, { ...troubles, expired: null }, place).state).toBe("warn");
  });

  test("an event in progress is no trouble", () => {
    expect(judgeEvents({ kind: "in_progress", deploymentIds: ["d-1"] }, "/t")).toMatchObject({
      state: "pass",
      seen: expect.stringContaining("d-1"),
    });
  });

  test("its proxy against ours", () => {
    expect(judgeProxies("http://p:1", "http://who:secret@p:1/", "/s", "u").state).toBe("pass");
    const lacking = judgeProxies("http://p:1", null, "/s", "u");
    expect(lacking).toMatchObject({ state: "warn", seen: expect.stringContaining("no :proxy_uri:") });
    expect(lacking.mend).toContain("sed -i '$a :proxy_uri: http://p:1' /s");
    expect(judgeProxies("http://p:1", "http://q:1", "/s", "u").state).toBe("warn");
  });
});

describe("the network", () => {
  test("a proxy of the environment, and one that the config wins over", () => {
    const facts = {
      configured: null,
      used: "http://p:1",
      shell: null,
      isServiceKnown: true,
      configFile: "/c",
    };
    expect(judgeProxy(facts)).toMatchObject({
      state: "pass",
      seen: "http://p:1, from the environment of the service",
    });
    const both = { ...facts, configured: "http://p:1", shell: "http://q:1" };
    expect(judgeProxy(both).seen).toContain("it wins over http://q:1");
  });

  test("a certificate on AWS's name that is not AWS's is named for what it is", () => {
    const way = (issuer: string) => ({
      kind: "open" as const,
      place: { title: "STS", url: "https://sts.us-east-1.amazonaws.com" },
      arrival: { issuer, skewMs: 0 },
      proxy: null,
    });
    expect(judgeWay(way("Amazon RSA 2048 M02, Amazon"), "fail").seen).not.toContain("inspects");
    expect(judgeWay(way("Example Corp CA"), "fail").seen).toContain("a proxy that inspects TLS");
  });

  test("where each host is, as shipped and as overridden", () => {
    const config = sampleConfig();
    const settings = { enableAuthPolicy: false, deployControlEndpoint: null } as Parameters<
      typeof placeOf
    >[1]["settings"];
    const facts = { config, env: {}, settings };
    expect(placeOf("sts", facts).url).toBe("https://sts.ap-northeast-2.amazonaws.com");
    expect(placeOf("commands", facts).url).toBe("https://codedeploy-commands.ap-northeast-2.amazonaws.com");
    expect(placeOf("s3", facts).url).toBe("https://s3.ap-northeast-2.amazonaws.com");
    const secure = settings === null ? null : { ...settings, enableAuthPolicy: true };
    expect(placeOf("commands", { ...facts, settings: secure }).url).toBe(
      "https://codedeploy-commands-secure.ap-northeast-2.amazonaws.com",
    );
    expect(() => placeOf("s3", { ...facts, env: { AWS_ENDPOINT_URL_S3: "nonsense" } })).toThrow(/URL/);
  });
});

describe("the service", () => {
  const unit = (properties: Record<string, string>) => new Map(Object.entries(properties));

  test("restarted now and then, and too often", () => {
    expect(judgeActive(unit({ ActiveState: "active", NRestarts: "2" }), "u").state).toBe("pass");
    expect(judgeActive(unit({ ActiveState: "active", NRestarts: "7" }), "u").state).toBe("warn");
  });

  test("not installed", () => {
    expect(judgeEnabled(unit({ LoadState: "not-found" }), "u").state).toBe("fail");
  });
});

describe("the registration", () => {
  const registration = {
    schema: 1,
    state: "complete",
    serial: "serial-ABCDEFG",
    region: "ap-northeast-2",
    sessionArn: SESSION_ARN,
    tags: [],
    machine: { productUuid: null, productSerial: null, machineId: null },
    startedAt: "2026-01-31T09:00:00Z",
  } as const;

  test("of this configuration, of another, unusable, and none", () => {
    const config = sampleConfig();
    const judge = (changes: object) =>
      judgeRecord({ kind: "read", registration: { ...registration, tags: [], ...changes } }, config).state;
    expect(judge({})).toBe("pass");
    expect(judge({ serial: "other" })).toBe("fail");
    expect(judge({ sessionArn: `${SESSION_ARN}X` })).toBe("fail");
    expect(judgeRecord({ kind: "unusable", why: "EACCES" }, config).state).toBe("warn");
    expect(judgeRecord({ kind: "none" }, config)).toMatchObject({ state: "unknown", counts: false });
  });

  test("the command that registers can be pasted into a shell, whatever a tag holds", () => {
    expect(registerCommand(sampleConfig(), [{ key: "Team", value: "it's $HOME" }])).toBe(
      `idc-helper register --serial serial-ABCDEFG --region ap-northeast-2 --role-arn ${ROLE_ARN} --tag 'Team=it'\\''s $HOME'`,
    );
  });
});

test.each([
  [0, "pass"],
  [-119_000, "pass"],
  [121_000, "warn"],
  [-299_000, "warn"],
  [301_000, "fail"],
])("a clock that is %i ms off", (skewMs, state) => {
  expect(judgeClock(skewMs).state).toBe(state);
});

test("a clock that nobody can be asked about is not judged", () => {
  expect(judgeClock(null).state).toBe("unknown");
});
