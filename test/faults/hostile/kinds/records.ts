/** Our own records and messages, with somebody else's hand in them: each is read, and then used as the commands use it. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describeCron, describeSetup } from "../../../../src/adoption/describe.ts";
import { readManifest } from "../../../../src/adoption/manifest.ts";
import { configChangedBootMs } from "../../../../src/agent/config-upkeep.ts";
import { readAnswer, takeRequest } from "../../../../src/agent/exchange.ts";
import { readSyncRecord } from "../../../../src/agent/sync-record.ts";
import { adoptionDirectory, agentRuntimeFiles, registrationFile } from "../../../../src/config/paths.ts";
import {
  addWrite,
  expiresBootMs,
  halfLifeBootMs,
  inspectFile,
  readRecord,
} from "../../../../src/credentials/record.ts";
import { readClock } from "../../../../src/host/clock.ts";
import { Announcer } from "../../../../src/refresher/announcer.ts";
import { ClockWatch } from "../../../../src/refresher/clock-watch.ts";
import { type Health, statusLine, statusOf } from "../../../../src/refresher/health.ts";
import { mustLoadSince } from "../../../../src/refresher/pickup.ts";
import { interpret } from "../../../../src/refresher/refresh-child.ts";
import { clonedMachine, differenceFromRegistered } from "../../../../src/registration/clone.ts";
import { readRegistration } from "../../../../src/registration/record.ts";
import { createLog } from "../../../../src/report/log.ts";
import { readStatus } from "../../../../src/report/status.ts";
import { describeStatus, judge } from "../../../../src/report/status-text.ts";
import { RECORD, sampleAnswer, sampleHealth } from "../../../unit/refresher/sample-health.ts";
import { NOW_MS, sampleFailure, sampleStatus } from "../../../unit/report/sample-status.ts";
import { hostileJson, JSON_CORPUS } from "../json.ts";
import { controlsIn, type Judgement, kind, wellTold } from "../kind.ts";

const BOOT_ID = "boot-1";

/** All that `run` makes of what it knows: the status file, systemd's line, the journal. */
function tell(changes: Partial<Health>): Judgement {
  const health = sampleHealth(changes);
  const status = statusOf(health);
  JSON.stringify(status);
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "human",
    isTerminal: false,
    write: (line) => lines.push(line),
  });
  new Announcer(log).observe(health);
  return statusLine(health).includes("Invalid") ? "an invalid time in STATUS" : null;
}

const place = (directory: string) => {
  const paths = { stateDir: directory, runtimeDir: directory, agentRuntimeDir: directory };
  mkdirSync(agentRuntimeFiles(paths).requestDirectory, { recursive: true });
  return paths;
};

export const requests = kind({
  name: "request",
  title: "the request file",
  inputs: { quick: 100, full: 8_000 },
  arbitrary: hostileJson([
    { id: "0b2c", credentialsSince: { bootId: BOOT_ID, bootMs: 5 }, inForce: "x" },
    { id: "x", credentialsSince: null, inForce: null },
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const paths = place(directory);
    const { request, requestDirectory } = agentRuntimeFiles(paths);
    return async (text): Promise<Judgement> => {
      writeFileSync(request, text);
      const taken = await takeRequest(paths);
      if (existsSync(request) || readdirSync(requestDirectory).length > 0) return "it is still there";
      if (taken === null) return null;
      const { id, credentialsSince, inForce } = taken;
      if (!/^[\w-]{1,64}$/.test(id)) return `an id ${JSON.stringify(id)}`;
      const isInstant = credentialsSince === null || Number.isFinite(credentialsSince.bootMs);
      return isInstant && (inForce === null || typeof inForce === "string") ? null : "fields of other types";
    };
  },
});

export const answers = kind({
  name: "answer",
  title: "the root oneshot's answer, agent.json",
  inputs: { quick: 125, full: 10_000 },
  arbitrary: hostileJson([
    sampleAnswer(),
    sampleAnswer({
      config: { state: "drifted", differences: [{ key: "region", found: null, wanted: "x" }] },
      reload: { state: "deferred", causes: ["credentials"], detail: "x" },
    }),
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const paths = place(directory);
    return async (text): Promise<Judgement> => {
      writeFileSync(agentRuntimeFiles(paths).answer, text);
      const answer = await readAnswer(paths);
      if (answer === null) return null;
      const mustLoad = mustLoadSince({
        nowBootMs: sampleHealth().nowBootMs,
        pickupWindowMs: answer.pickupWindowMs,
        writes: [{ atBootMs: sampleHealth().nowBootMs - 1_000, previousExpiresBootMs: null }],
        stepsBack: [],
        currentExpiresBootMs: null,
        workerStartedBootMs: answer.agent.workerStartedBootMs,
      });
      return tell({ answer, mustLoad });
    };
  },
});

export const statuses = kind({
  name: "status",
  title: "the status file",
  inputs: { quick: 125, full: 10_000 },
  arbitrary: hostileJson([
    sampleStatus(),
    sampleStatus({ ...sampleFailure(), warnings: [{ code: "x", message: "y", next_step: "z" }] }),
    sampleStatus({
      agent: {
        ...sampleStatus().agent,
        must_load: { since: "2026-11-22T10:30:00Z", reason: "x", lapses_at: "2026-11-22T10:30:00Z" },
      },
    }),
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const path = join(directory, "status.json");
    return async (text): Promise<Judgement> => {
      writeFileSync(path, text);
      try {
        const status = await readStatus(path);
        if (status === null) return "it is not there";
        const shown = [true, false].map((isRunning) => {
          return describeStatus(status, judge(status, isRunning, NOW_MS), {
            nowMs: NOW_MS,
            isTerminal: false,
          });
        });
        return controlsIn(shown.join("\n"));
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes(path)) throw error;
        return controlsIn(error.message);
      }
    };
  },
});

export const refreshRecords = kind({
  name: "refresh-record",
  title: "the records of refresh and run in the state directory",
  inputs: { quick: 125, full: 10_000 },
  arbitrary: hostileJson([
    { ...RECORD, writes: [{ atBootMs: 5, previousExpiresBootMs: null }] },
    { ...RECORD, skewMs: 5, replaces: RECORD, refusedDuration: { roleArn: "x", askedMs: 1, atMs: 1 } },
    { bootId: BOOT_ID, offsetMs: 1_790_000_000_000, stepsBack: [{ atBootMs: 1, byMs: 600_000 }] },
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const path = join(directory, "record.json");
    const credentials = join(directory, "credentials");
    writeFileSync(credentials, "[default]\n");
    return async (text): Promise<Judgement> => {
      writeFileSync(path, text);
      const now = readClock();
      const { stepsBack } = await ClockWatch.open(path, BOOT_ID, now);
      writeFileSync(path, text);
      const record = await readRecord(path, credentials);
      if (record === null) return null;
      const file = await inspectFile(credentials, record, record);
      for (const bootId of [BOOT_ID, "another"]) {
        const times = [expiresBootMs(record, now, bootId), halfLifeBootMs(record, now, bootId)];
        if (times.some(Number.isNaN)) return `no time: ${times.join(", ")}`;
      }
      const writes = addWrite(record, { atBootMs: now.bootMs, previousExpiresBootMs: null }, record.bootId);
      const mustLoad = mustLoadSince({
        nowBootMs: now.bootMs,
        pickupWindowMs: 1_680_000,
        writes,
        stepsBack,
        currentExpiresBootMs: expiresBootMs(record, now, BOOT_ID),
        workerStartedBootMs: null,
      });
      return tell({ record, file, mustLoad, expiresBootMs: expiresBootMs(record, now, BOOT_ID) });
    };
  },
});

export const syncRecords = kind({
  name: "sync-record",
  title: "the record of sync-agent",
  inputs: { quick: 75, full: 6_000 },
  arbitrary: hostileJson([
    {
      bootId: BOOT_ID,
      config: { meaning: "x", sinceBootMs: 5 },
      inForce: "x",
      lastReloadBootMs: 5,
      lastCredentialsReloadBootMs: 5,
    },
    {
      bootId: BOOT_ID,
      lastFailure: { detail: "x", nextStep: "y" },
      workerMissingSinceBootMs: 5,
      leaving: { pid: 1, startTicks: 1, askedBootMs: 1 },
    },
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const paths = place(directory);
    const kept = { isAsDesired: true, wasRepaired: false, meaning: "x", changedWallMs: null };
    const report = { state: "matches", file: "x", detail: "", differences: [], backup: null } as const;
    return async (text): Promise<Judgement> => {
      writeFileSync(agentRuntimeFiles(paths).syncRecord, text);
      const record = await readSyncRecord(paths, BOOT_ID);
      const since = configChangedBootMs(
        { ...kept, report: { ...report, differences: [] } },
        record,
        readClock(),
        "/nonexistent",
      );
      if (!Number.isFinite(since)) return `changed at ${since}`;
      const {
        lastReloadBootMs,
        lastCredentialsReloadBootMs,
        workerMissingSinceBootMs,
        leaving,
        lastFailure,
        inForce,
      } = record;
      const instants = [lastReloadBootMs, lastCredentialsReloadBootMs, workerMissingSinceBootMs];
      if (instants.some((at) => at !== null && !Number.isFinite(at)))
        return `instants ${JSON.stringify(instants)}`;
      if (leaving !== null && ![leaving.pid, leaving.startTicks, leaving.askedBootMs].every(Number.isFinite))
        return `leaving ${JSON.stringify(leaving)}`;
      if (lastFailure !== null && typeof lastFailure.detail !== "string") return "a failure without words";
      return inForce === null || typeof inForce === "string" ? null : `in force: ${JSON.stringify(inForce)}`;
    };
  },
});

export const registrations = kind({
  name: "registration",
  title: "registration.json",
  inputs: { quick: 75, full: 6_000 },
  arbitrary: hostileJson([
    {
      schema: 1,
      state: "complete",
      serial: "SN-1",
      region: "ap-northeast-2",
      sessionArn: "arn:aws:sts::123456789012:assumed-role/Role/SN-1",
      tags: [{ key: "Name", value: "web" }],
      machine: { productUuid: "x", productSerial: null, machineId: "y" },
      startedAt: "2026-11-22T10:30:00Z",
    },
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const configFile = join(directory, "config.yaml");
    return async (text): Promise<Judgement> => {
      writeFileSync(registrationFile(configFile), text);
      try {
        const registration = await readRegistration(configFile);
        if (registration === null) return "it is not there";
        differenceFromRegistered(registration);
        // As `register` and `deregister` use them.
        for (const { key, value } of registration.tags) `${key}=${value}`.normalize();
        return wellTold(clonedMachine(configFile, registration, "hardware"), [registrationFile(configFile)]);
      } catch (error) {
        if (!(error instanceof Error) || error instanceof TypeError) throw error;
        return error.message.includes(registrationFile(configFile)) ? null : `no place: ${error.message}`;
      }
    };
  },
});

const MANIFEST = {
  schema: 1,
  state: "adopted",
  startedAt: "2026-11-22T10:30:00Z",
  undoStartedAt: null,
  serial: "SN-1",
  region: "ap-northeast-2",
  roleArn: "arn:aws:iam::123456789012:role/Role",
  sessionArn: "arn:aws:sts::123456789012:assumed-role/Role/SN-1",
  old: { kind: "session", credentialsFile: "/root/creds" },
  onPremisesConfigFile: "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
  jobs: [
    { file: "/etc/cron.d/x", content: "* * * * * root x", line: 1, user: "root", schedule: "* * * * *" },
  ],
  files: [{ path: "/etc/x", backup: "0-x", mode: 0o644, userId: 0, groupId: 0 }],
};

export const manifests = kind({
  name: "manifest",
  title: "the manifest of an adoption",
  inputs: { quick: 75, full: 6_000 },
  arbitrary: hostileJson([
    MANIFEST,
    { ...MANIFEST, old: { kind: "user", userArn: "x", accessKeyId: null, instanceName: "y", tags: [] } },
  ]),
  corpus: JSON_CORPUS,
  open: (directory) => {
    const configFile = join(directory, "config.yaml");
    const path = join(adoptionDirectory(configFile), "manifest.json");
    mkdirSync(dirname(path), { recursive: true });
    return async (text): Promise<Judgement> => {
      writeFileSync(path, text);
      try {
        const manifest = await readManifest(configFile);
        if (manifest === null) return "it is not there";
        describeCron({ jobs: [], related: [], unread: [], elsewhere: [] }, manifest);
        const { userArn = "x" } = manifest.old.kind === "user" ? manifest.old : {};
        const setup = {
          kind: "user",
          userArn,
          partition: "aws",
          account: "1",
          userName: "x",
          accessKeyId: null,
          region: "y",
        } as const;
        describeSetup(setup, "file", manifest);
        for (const { path: file, backup } of manifest.files) join(dirname(file), backup ?? "");
        for (const { content, line } of manifest.jobs)
          if (!(line > 0) || content.includes("\n")) return "a job of no line";
        return null;
      } catch (error) {
        return wellTold(error, [path]);
      }
    };
  },
});

const ISSUED = {
  result: "issued",
  issuedAt: "2026-11-22T10:30:00Z",
  expiresAt: "2026-11-22T11:30:00Z",
  sessionArn: "x",
  warnings: [{ code: "clock_skew", message: "x", nextStep: "y" }],
};
const FAILED = { result: "failed", kind: "denied", message: "x", nextStep: "y", retryAfterMs: 5 };

export const outcomes = kind({
  name: "outcome",
  title: "what a refresh tells run",
  inputs: { quick: 100, full: 8_000 },
  arbitrary: fc.record({
    output: hostileJson([ISSUED, FAILED]),
    exitCode: fc.constantFrom<(number | null)[]>(0, 1, 78, 134, null),
  }),
  corpus: JSON_CORPUS.map((output) => ({ output, exitCode: 1 })),
  open:
    () =>
    ({ output, exitCode }): Judgement => {
      const signal = exitCode === null ? "SIGKILL" : null;
      const outcome = interpret({ exitCode, signal, output, errors: output, wasTooSlow: false }, 60_000);
      const lines: string[] = [];
      const log = createLog({
        level: "debug",
        format: "human",
        isTerminal: false,
        write: (line) => lines.push(line),
      });
      const health = sampleHealth();
      if (outcome.result === "failed") {
        if (typeof outcome.message !== "string" || typeof outcome.nextStep !== "string")
          return "a failure without words";
        const { retryAfterMs } = outcome;
        if (retryAfterMs !== undefined && !Number.isFinite(retryAfterMs))
          return `to be tried again after ${retryAfterMs}`;
        const streak = {
          count: 1,
          throttled: 0,
          sinceMs: NOW_MS,
          last: outcome,
          retryBootMs: health.nowBootMs + 1_000,
        };
        new Announcer(log).refreshed(outcome, streak, health);
        return tell({ streak });
      }
      new Announcer(log).refreshed(outcome, null, health);
      return tell({ warnings: outcome.warnings });
    },
});
