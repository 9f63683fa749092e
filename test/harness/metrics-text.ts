/** Prometheus' text format as a test reads it: each series once, with its value. */

export interface Family {
  type: string;
  help: string;
  /** `{label="value",…}` (empty for none) to its value. */
  series: Map<string, number>;
}

/** @throws where a line is none of the format's, or a series is there twice */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const family = (name: string): Family => {
    const found = families.get(name) ?? { type: "", help: "", series: new Map<string, number>() };
    families.set(name, found);
    return found;
  };
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end");
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line);
    const sample = /^(\w+)(\{(?:\w+="(?:[^"\\\n]|\\.)*",?)+\})? (\S+)$/.exec(line);
    if (comment) {
      const [, what, name = "", rest = ""] = comment;
      family(name)[what === "HELP" ? "help" : "type"] = rest;
    } else if (sample) {
      const [, name = "", labels = "", value = ""] = sample;
      const { series } = family(name);
      if (series.has(labels)) throw new Error(`twice: ${name}${labels}`);
      if (!Number.isFinite(Number(value))) throw new Error(`no number: ${line}`);
      series.set(labels, Number(value));
    } else throw new Error(`not the format's: ${line}`);
  }
  return families;
}

/** The value of one series, such as `state{state="fresh"}`; undefined where it is not there. */
export function metricValue(text: string, series: string): number | undefined {
  const [, name = "", labels = ""] = /^(\w+)(.*)$/.exec(series) ?? [];
  return parseMetrics(text).get(`idc_helper_${name}`)?.series.get(labels);
}

export interface DocumentedMetric {
  type: string;
  labels: string[];
  help: string;
}

const ROW = /^\| `(idc_helper_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$/gm;

/** The table of docs/monitoring.md. */
export function documentedMetrics(page: string): Map<string, DocumentedMetric> {
  return new Map(
    [...page.matchAll(ROW)].map(([, name = "", type = "", labels = "", help = ""]) => {
      const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label);
      return [name, { type, labels: names, help }];
    }),
  );
}

/** The values that the table lists for a label; empty where it lists none. */
export function documentedValues(page: string, name: string, label: string): string[] {
  const row = [...page.matchAll(ROW)].find(([, each]) => each === name)?.[3] ?? "";
  const values = new RegExp(`\`${label}\`: ([^;]+)`).exec(row)?.[1] ?? "";
  return values.split(",").map((value) => value.trim());
}
