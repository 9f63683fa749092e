/**
 * `node test/demo/record.ts`: records the demo as it runs on a terminal, and draws docs/demo.svg from it: each line
 * appears when it came, with long pauses cut. With two arguments, from what script(1) recorded before: OUTPUT TIMING.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PICTURE = fileURLToPath(new URL("../../docs/demo.svg", import.meta.url));
const DEMO = fileURLToPath(new URL("demo.ts", import.meta.url));
/** What a reader waits for at most. */
const LONGEST_PAUSE_S = 1.6;
const [WIDTH, LINE, MARGIN] = [940, 18, 16];
const COLOURS: Readonly<Record<string, string>> = {
  "32": "#3fb950",
  "33": "#d29922",
  "34": "#58a6ff",
  "35": "#bc8cff",
  "36": "#39c5cf",
};

interface Line {
  text: string;
  atS: number;
}

/** @param timing a line for each piece of output: seconds since the one before, and its bytes */
export function linesOf(output: Buffer, timing: string): Line[] {
  // script(1) puts a line of its own before the output, and one after it.
  let offset = output.indexOf("\n") + 1;
  let atS = 0;
  let rest = "";
  const lines: Line[] = [];
  for (const [, delay, count] of timing.matchAll(/^([\d.]+) (\d+)$/gm)) {
    atS += Math.min(Number(delay), LONGEST_PAUSE_S);
    const piece = output.subarray(offset, offset + Number(count)).toString("utf8");
    offset += Number(count);
    const [last = "", ...whole] = (rest + piece).split("\n").reverse();
    rest = last;
    for (const text of whole.reverse()) lines.push({ text: text.replace(/\r/g, ""), atS });
  }
  return lines.map(({ text, atS: at }) => ({
    text: text.replace(/\/tmp\/idc-helper-\w+/, "/tmp/idc-helper"),
    atS: at,
  }));
}

export function drawn(lines: readonly Line[]): string {
  const shown = lines.slice(lines.findIndex(({ text }) => text !== ""));
  const height = MARGIN * 2 + shown.length * LINE;
  const rows = shown.map(({ text, atS }, row) => {
    const y = MARGIN + (row + 0.75) * LINE;
    return `<text x="${MARGIN}" y="${y}" style="animation-delay:${atS.toFixed(1)}s">${spans(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="13">
<title>make demo: an hour of a host in a minute</title>
<style>text{fill:#c9d1d9;white-space:pre;opacity:0;animation:show .1s forwards}@keyframes show{to{opacity:1}}@media(prefers-reduced-motion){text{opacity:1;animation:none}}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join("\n")}
</svg>
`;
}

/** A terminal's colours, as parts of a line. */
function spans(text: string): string {
  const marked = text.replaceAll("\u001b[", "␛");
  return marked.replace(/␛(\d+)m([^␛]*)␛0m|([^␛]+)/g, (_, code?: string, inside = "", plain = "") => {
    if (code === undefined) return escaped(plain);
    const style = code === "1" ? 'font-weight="bold" fill="#f0f6fc"' : `fill="${COLOURS[code] ?? "#c9d1d9"}"`;
    return `<tspan ${style}>${escaped(inside)}</tspan>`;
  });
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function recorded(): [Buffer, string] {
  const directory = mkdtempSync(join(tmpdir(), "idc-demo-"));
  const [output, timing] = [join(directory, "output"), join(directory, "timing")];
  try {
    const command = `stty cols 110 rows 50; '${process.execPath}' '${DEMO}'`;
    execFileSync("script", ["-qec", command, `--timing=${timing}`, output], { stdio: "ignore" });
    return [readFileSync(output), readFileSync(timing, "utf8")];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const [output, timing] = process.argv.slice(2);
const recording: [Buffer, string] =
  output === undefined || timing === undefined
    ? recorded()
    : [readFileSync(output), readFileSync(timing, "utf8")];
writeFileSync(PICTURE, drawn(linesOf(...recording)));
