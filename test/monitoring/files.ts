/** What packaging/monitoring holds, as the tests read it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(`../../packaging/monitoring/${path}`, import.meta.url));

export const RULES = at("prometheus/idc-codedeploy-helper.rules.yml");
export const RULE_TESTS = at("prometheus/idc-codedeploy-helper.test.yml");
export const DASHBOARD = at("grafana/idc-codedeploy-helper.json");

export const RSYSLOG = at("../logs/50-idc-codedeploy-helper.conf");

/** Each command of ours that the examples for Nagios, Icinga and Zabbix call, without the program. */
export function exampleCommands(): string[] {
  const files = ["nrpe/idc-helper.cfg", "icinga/idc-helper.conf", "zabbix/idc-helper.conf"];
  return files.flatMap((file) => {
    const text = readFileSync(at(file), "utf8").replaceAll('", "', " ");
    return [...text.matchAll(/^[^#\n]*\/usr\/bin\/idc-helper ([\w -]+)/gm)].map(([, words = ""]) =>
      words.trim(),
    );
  });
}

interface Dashboard {
  panels: { id: number; title: string; targets: { expr: string }[] }[];
  templating: { list: { name: string; query: string | { query: string } }[] };
  annotations: { list: { expr?: string }[] };
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD, "utf8")) as Dashboard;
}

/** Each query as Grafana sends it when nothing is chosen. */
export function dashboardQueries(): string[] {
  const { panels, annotations } = dashboard();
  const queries = [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...annotations.list.flatMap(({ expr }) => (expr === undefined ? [] : [expr])),
  ];
  return queries.map((query) => query.replaceAll(/"\$\w+"/g, '".*"'));
}

/** Every metric of ours that a text names. */
export function metricsIn(text: string): string[] {
  // Without those that the recording rules make: they have a colon on either side.
  return [...new Set([...text.matchAll(/(?<![:\w])idc_helper_\w+(?![:\w])/g)].map(([name]) => name))];
}
