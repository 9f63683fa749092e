/** A JSON document of ours, as somebody who may write it might leave it. */
import * as fc from "fast-check";
import { damaged, word } from "./words.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const strange: fc.Arbitrary<Json> = fc.oneof(
  word,
  fc.constantFrom<Json>(null, true, false, 0, -1, 1.5, 1e21, -1e300, 1.7e308, [], {}, [[]], [null], [{}], {
    a: 1,
  }),
  fc.constantFrom<Json>(Number.MAX_SAFE_INTEGER, 8.64e15, -8.64e15, 8.7e15, 2 ** 31, 2 ** 53, 4_294_967_296),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

/** Every path in a document, the document itself included. */
function pathsOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const entries: [string | number, Json][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function changed(
  value: Json,
  path: readonly (string | number)[],
  change: (found: Json) => Json | undefined,
): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(value) ?? null;
  if (Array.isArray(value)) {
    return value.flatMap((inner, index) => {
      if (index !== key) return [inner];
      const next = rest.length === 0 ? change(inner) : changed(inner, rest, change);
      return next === undefined ? [] : [next];
    });
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
      if (name !== key) return [[name, inner]];
      const next = rest.length === 0 ? change(inner) : changed(inner, rest, change);
      return next === undefined ? [] : [[name, next]];
    }),
  );
}

/** One to three places of a good document taken away, replaced or added to; now and then its text damaged as well. */
export function hostileJson(samples: readonly object[]): fc.Arbitrary<string> {
  const documents = samples.map((sample) => JSON.parse(JSON.stringify(sample)) as Json);
  const document = fc.constantFrom(...documents).chain((sample) => {
    const paths = pathsOf(sample);
    const change = fc.record({
      path: fc.constantFrom(...paths),
      how: fc.nat({ max: 3 }),
      value: strange,
      name: word,
    });
    return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) =>
      changes.reduce<Json>((before, { path, how, value, name }) => {
        return changed(before, path, (found) => {
          if (how === 0) return undefined;
          const isOpen = how === 1 && typeof found === "object" && found !== null && !Array.isArray(found);
          return isOpen ? { ...found, [name]: value } : value;
        });
      }, sample),
    );
  });
  const text = document.map((value) => JSON.stringify(value));
  // 1e999 is Infinity to JSON.parse, and cannot come from JSON.stringify.
  const infinite = text.map((json) => json.replace(/(?<=:)\d+(?=[,}])/, "1e999"));
  return fc.oneof(
    { arbitrary: text, weight: 8 },
    { arbitrary: infinite, weight: 1 },
    { arbitrary: damaged(text), weight: 2 },
    { arbitrary: word, weight: 1 },
  );
}

/** What any reader of JSON should have met once. */
export const JSON_CORPUS: readonly string[] = [
  "",
  "null",
  "[]",
  "{}",
  "0",
  '""',
  "{",
  "\ufeff{}",
  "\0".repeat(4_096),
  "[".repeat(60_000),
  `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
  '{"a":'.repeat(10_000),
  '{"__proto__":{"schema":1}}',
  `{"schema":1,"a":"${"x".repeat(60_000)}"}`,
  `{"schema":1,${Array.from({ length: 4_000 }, (_, index) => `"k${index}":0`).join(",")}}`,
];
