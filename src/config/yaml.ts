/**
 * A YAML mapping with the line of each of its keys, so that an error can name the place.
 *
 * Scalars stay text (YAML's failsafe schema, plus null): a serial of `00123` or `1e5` is a name, not a number.
 */
import {
  EVENT_ID,
  type Event,
  FAILSAFE_SCHEMA,
  getScalarValue,
  load,
  nullCoreTag,
  parseEvents,
  YAMLException,
} from "js-yaml";

const TEXT_SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag);

export interface YamlDocument {
  value: unknown;
  /** The 1-based line of the value at a path of keys, or of its nearest ancestor that is there. */
  lineOf(path: readonly PropertyKey[]): number;
}

export class YamlError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** @throws YamlError with the place of the first thing that is no YAML we accept */
export function parseYaml(source: string): YamlDocument {
  try {
    // Line by line: one pattern for them all takes time exponential in the number of blank lines.
    if (source.split("\n").every((line) => /^\s*(?:#|$)/.test(line))) return { value: null, lineOf: () => 1 };
    // Aliases are refused: a config of ours needs none, and nested ones expand without bound.
    const value = load(source, { schema: TEXT_SCHEMA, maxAliases: 0, maxDepth: 10 });
    const lines = keyLines(source, parseEvents(source, {}));
    return { value: value ?? null, lineOf: (path) => nearestLine(lines, path) };
  } catch (error) {
    if (error instanceof YAMLException) throw new YamlError(error.reason, (error.mark?.line ?? 0) + 1);
    throw error;
  }
}

function nearestLine(lines: Map<string, number>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(JSON.stringify(path.slice(0, length).map(String)));
    if (line !== undefined) return line;
  }
  return 1;
}

/** Walks the parser's events, which carry offsets, and notes the line of every key of nested mappings. */
function keyLines(source: string, events: Event[]): Map<string, number> {
  const lines = new Map<string, number>();
  const lineAt = lineCounter(source);
  const open: { isMapping: boolean; key: string | null }[] = [];
  const endValue = () => {
    const parent = open.at(-1);
    if (parent?.isMapping) parent.key = null;
  };
  for (const event of events) {
    const parent = open.at(-1);
    if (event.type === EVENT_ID.SCALAR) {
      if (parent?.isMapping && parent.key === null) {
        parent.key = getScalarValue(source, event);
        const path = open.flatMap(({ key }) => (key === null ? [] : [key]));
        lines.set(JSON.stringify(path), lineAt(event.valueStart));
      } else endValue();
    } else if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      open.push({ isMapping: event.type === EVENT_ID.MAPPING, key: null });
    } else if (event.type === EVENT_ID.POP) {
      open.pop();
      endValue();
    } else if (event.type === EVENT_ID.DOCUMENT) open.push({ isMapping: false, key: null });
  }
  return lines;
}

/** Counts on from where it was last asked: keys come in the order of the file. */
function lineCounter(source: string): (offset: number) => number {
  let line = 1;
  let next = source.indexOf("\n");
  return (offset) => {
    while (next !== -1 && next < offset) {
      line += 1;
      next = source.indexOf("\n", next + 1);
    }
    return line;
  };
}
