/** Cron expressions, most of them nearly right. */
import * as fc from "fast-check";
import { word } from "../words.ts";

const number = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 60 }).map(String), weight: 6 },
  {
    arbitrary: fc.constantFrom(
      "-1",
      "00",
      "60",
      "24",
      "32",
      "13",
      "8",
      "1e3",
      "0x1",
      "1.5",
      "L",
      "W",
      "?",
      "#2",
    ),
    weight: 2,
  },
  { arbitrary: fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String), weight: 1 },
  { arbitrary: fc.constantFrom("jan", "DEC", "mon", "Sunday", "february", "*"), weight: 1 },
);

const part = fc.oneof(
  { arbitrary: fc.constant("*"), weight: 3 },
  { arbitrary: number, weight: 3 },
  { arbitrary: fc.tuple(number, number).map(([from, to]) => `${from}-${to}`), weight: 3 },
  { arbitrary: number.map((step) => `*/${step}`), weight: 3 },
  {
    arbitrary: fc.tuple(number, number, number).map(([from, to, step]) => `${from}-${to}/${step}`),
    weight: 2,
  },
  { arbitrary: word, weight: 1 },
);

const field = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(","));

export const cronText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.array(field, { minLength: 5, maxLength: 6 }).map((fields) => fields.join(" ")), weight: 8 },
  {
    arbitrary: fc.tuple(field, fc.constantFrom("* * * *", "* * * * *")).map((parts) => parts.join(" ")),
    weight: 4,
  },
  { arbitrary: fc.array(field, { maxLength: 8 }).map((fields) => fields.join(" ")), weight: 1 },
  { arbitrary: word, weight: 1 },
);
