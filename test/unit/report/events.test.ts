/** What is said of events in three places is one: the source, docs/events.md, and the journal's catalogs. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MESSAGE_IDS } from "../../../src/report/message-ids.ts";
import { documentedEvents, journalFieldOf } from "../../harness/event-docs.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const documented = documentedEvents();

/** Names that are put together from a state, each with the states that are left by then. */
const COMPOSED: Readonly<Record<string, readonly string[]>> = {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: as it stands in the source
  "agent_reload_${reload.state}": ["agent_reload_failed", "agent_reload_off"],
  "agent_config_${state}": ["agent_config_drifted", "agent_config_missing", "agent_config_unknown"],
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as it stands in the source
  // RefreshWarning's codes (refresher/issue.ts).
  code: ["duration_not_allowed", "clock_skew"],
};

/** Each call of a log in the source: `level event`. */
function eventsInSource(): string[] {
  const found = globSync("src/**/*.ts", { cwd: ROOT }).flatMap((path) => {
    const source = readFileSync(join(ROOT, path), "utf8");
    const calls = source.matchAll(/\b#?log\.(debug|info|warn|error)\(\s*([^,)]+?)\s*[,)]/g);
    return [...calls].flatMap(([, level, argument = ""]) =>
      namesIn(argument, path).map((name) => `${level} ${name}`),
    );
  });
  return [...new Set(found)].sort();
}

function namesIn(argument: string, path: string): readonly string[] {
  const quoted = /^[`"](.+)[`"]$/.exec(argument)?.[1] ?? argument;
  if (/^\w+$/.test(quoted) && quoted !== argument) return [quoted];
  if (COMPOSED[quoted] !== undefined) return COMPOSED[quoted];
  const choice = /^.+ \? "(\w+)" : "(\w+)"$/s.exec(argument);
  if (choice === null) throw new Error(`${path}: which event is ${argument}?`);
  return choice.slice(1);
}

describe("docs/events.md", () => {
  test("has every event of the source with its levels, and none that is gone", () => {
    const onPage = [...documented].flatMap(([event, { levels }]) =>
      levels.map((level) => `${level} ${event}`),
    );
    expect(eventsInSource()).toEqual(onPage.sort());
  });
});

describe("message ids", () => {
  test("are there for every event but those for debug alone", () => {
    const wanted = [...documented].filter(([, { levels }]) => levels.some((level) => level !== "debug"));
    expect(Object.keys(MESSAGE_IDS).sort()).toEqual(wanted.map(([event]) => event).sort());
  });

  test("are 128 random bits each, and no two the same", () => {
    const ids = Object.values(MESSAGE_IDS);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });
});

interface CatalogEntry {
  id: string;
  headers: string[];
  text: string;
}

function catalog(name: string): CatalogEntry[] {
  const source = readFileSync(join(ROOT, "systemd", name), "utf8");
  const [, ...entries] = source.replace(/^#.*\n/gm, "").split(/^-- /m);
  return entries.map((entry) => {
    const [head = "", ...body] = entry.split("\n\n");
    const [id = "", ...headers] = head.split("\n");
    return { id, headers, text: body.join("\n\n").trim() };
  });
}

describe.each([
  [
    "idc-codedeploy-helper.catalog",
    /to be done|Run: |idc-helper |systemctl |crontab |journalctl |chronyc |Raise /,
  ],
  ["idc-codedeploy-helper.ko.catalog", /\p{Script=Hangul}/u],
])("%s", (name, says) => {
  const entries = catalog(name);

  test("explains every event once, in the same order", () => {
    expect(entries.map(({ id }) => id)).toEqual(Object.values(MESSAGE_IDS));
  });

  test("says of each what it is, whose, where more is found, and what to do", () => {
    for (const { headers, text } of entries) {
      expect(headers.map((line) => line.split(": ")[0])).toEqual([
        "Subject",
        "Defined-By",
        "Support",
        "Documentation",
      ]);
      expect(headers).toContain("Defined-By: idc-codedeploy-helper");
      expect(text).toMatch(says);
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(82);
    }
  });

  test("uses only fields that are always there: of others, readers would see the names", () => {
    for (const { id, headers, text } of entries) {
      const event = Object.keys(MESSAGE_IDS).find((each) => MESSAGE_IDS[each] === id) ?? "";
      const used = [...`${headers}${text}`.matchAll(/@(\w+)@/g)].map(([, field]) => field);
      const always = documented.get(event)?.always.map(journalFieldOf);
      expect(always, event).toEqual(expect.arrayContaining([...used]));
      // A value of more than 256 bytes is not shown either.
      expect(used).not.toContain("IDC_MESSAGE");
    }
  });
});

test("both catalogs name the same fields", () => {
  const fields = (name: string) =>
    catalog(name).map(({ headers, text }) => [...new Set(`${headers}${text}`.match(/@\w+@/g))].sort());
  expect(fields("idc-codedeploy-helper.ko.catalog")).toEqual(fields("idc-codedeploy-helper.catalog"));
});
