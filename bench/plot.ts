/** Draws the fleet's scenarios: calls a second against the quota, one panel for each, as one SVG. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

export interface Line {
  scenario: string;
  policy: string;
  /** Seconds since the trouble was over. */
  second: number;
  callsPerSecond: number;
}

/** @returns an SVG document */
export async function drawFleet(lines: readonly Line[], quota: number): Promise<string> {
  const spec: TopLevelSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    data: { values: lines as Line[] },
    facet: { field: "scenario", type: "nominal", title: null, sort: null },
    columns: 2,
    spec: {
      width: 380,
      height: 170,
      layer: [
        { mark: { type: "rule", color: "#888", strokeDash: [4, 3] }, encoding: { y: { datum: quota } } },
        {
          mark: { type: "line", strokeWidth: 1.5, clip: true },
          encoding: {
            x: { field: "second", type: "quantitative", title: "seconds since it was over" },
            y: {
              field: "callsPerSecond",
              type: "quantitative",
              title: "AssumeRole calls a second",
              scale: { type: "symlog", constant: 200 },
              axis: { values: [0, 200, 600, 2_000, 6_000, 15_000], format: ",d" },
            },
            color: {
              field: "policy",
              type: "nominal",
              title: null,
              sort: null,
              legend: { orient: "top", labelLimit: 400 },
            },
          },
        },
      ],
    },
    resolve: { scale: { x: "independent" } },
  };
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  return `${await view.toSVG()}\n`;
}
