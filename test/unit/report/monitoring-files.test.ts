/** Rules and dashboard name metrics that there are, and the alerts that the documentation lists. */
import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { METRICS, PREFIX } from "../../../src/report/metrics.ts";
import { dashboard, dashboardQueries, metricsIn, RULE_TESTS, RULES } from "../../monitoring/files.ts";

const KNOWN = METRICS.map(({ name }) => PREFIX + name);
const PAGE = readFileSync(new URL("../../../docs/monitoring.md", import.meta.url), "utf8");

interface RuleFile {
  groups: {
    rules: { alert?: string; record?: string; expr: string; for?: string; labels?: { severity: string } }[];
  }[];
}
const rules = (load(readFileSync(RULES, "utf8")) as RuleFile).groups.flatMap(({ rules: each }) => each);
const alerts = rules.filter(({ alert }) => alert !== undefined);

describe("the alert rules", () => {
  test("ask for metrics that there are", () => {
    for (const { expr } of rules) {
      expect(metricsIn(expr), expr).not.toEqual([]);
      expect(KNOWN).toEqual(expect.arrayContaining(metricsIn(expr)));
    }
  });

  test("ask for states that there are", () => {
    const states = new Set(METRICS.flatMap(({ name }) => (name.endsWith("state") ? [name] : [])));
    for (const { expr } of rules) {
      const [, metric = "", values = ""] = /idc_helper_(\w*state)\{state=~?"([^"]+)"/.exec(expr) ?? [];
      if (metric === "") continue;
      expect(states).toContain(metric);
      for (const value of values.split("|"))
        expect(PAGE, expr).toMatch(new RegExp(`\`idc_helper_${metric}\`.*\`state\`:[^|]*\\b${value}\\b`));
    }
  });

  test("are tested by promtool, each of them", () => {
    const tested = readFileSync(RULE_TESTS, "utf8");
    for (const { alert } of alerts) {
      const fires = new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n +- exp_labels`);
      expect(fires.test(tested), `${alert} is never seen firing`).toBe(true);
    }
  });

  test("are listed in docs/monitoring.md with their severity and wait", () => {
    const listed = [...PAGE.matchAll(/^\| `(IdcHelper\w+)` \| (\w+) \| (\w+)? ?\|/gm)].map(
      ([, alert, severity, wait]) => ({ alert, severity, for: wait }),
    );
    expect(listed).toEqual(
      alerts.map(({ alert, labels, for: wait }) => ({ alert, severity: labels?.severity, for: wait })),
    );
  });
});

describe("the Grafana dashboard", () => {
  const queries = dashboardQueries();

  test("asks for metrics that there are, in every panel", () => {
    expect(queries.length).toBeGreaterThan(12);
    for (const query of queries) {
      expect(metricsIn(query), query).not.toEqual([]);
      expect(KNOWN).toEqual(expect.arrayContaining(metricsIn(query)));
    }
    for (const { title, targets } of dashboard().panels) expect(targets.length, title).toBeGreaterThan(0);
  });

  test("has panels of their own ids, and variables for those that its queries use", () => {
    const { panels, templating } = dashboard();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const used = new Set(
      JSON.stringify(panels)
        .match(/(?<=\$)(?:\{\w+\}|\w+)/g)
        ?.map((name) => name.replace(/[{}]/g, "")),
    );
    expect([...used].sort()).toEqual(templating.list.map(({ name }) => name).sort());
  });
});
