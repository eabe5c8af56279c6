/**
 * Random rows of every type of field, and random queries about them. Texts are of few pieces, so that
 * queries find something, and of odd ones, so that quoting and escaping are met.
 */
import { type Catalogue, fieldsOf, type Row } from "../../src/query/catalogue.ts";
import type { SeededRandom } from "../../src/std/seeded-random.ts";

export const LEVELS = ["low", "Medium", "high"] as const;

export const CATALOGUE: Catalogue = {
  rows: "things",
  fields: fieldsOf({
    label: { type: "name", summary: "a name" },
    body: { type: "text", summary: "prose" },
    level: {
      type: "choice",
      values: LEVELS,
      ordered: true,
      summary: "one of three",
      sql: "toString(level)",
    },
    labels: {
      type: "name",
      isMany: true,
      summary: "several names, or none",
      sql: "splitByChar('|', names)",
      read: ({ names }) => String(names).split("|"),
    },
    amount: { type: "number", unit: "bytes", summary: "a number, or none" },
    at: { type: "time", summary: "a time, or none" },
    address: { type: "address", summary: "an address, or the empty text" },
    peer: { type: "address", summary: "another" },
    double: {
      type: "number",
      summary: "made from another",
      sql: "amount * 2",
      read: ({ amount }) => (amount === null ? null : Number(amount) * 2),
    },
  }),
  groups: new Map([["any", { fields: ["address", "peer"], summary: "either address" }]]),
  bare: {
    text: ["label", "body"],
    address: ["address", "peer"],
    number: ["amount"],
    endpoints: [["address", "amount"]],
  },
};

/** For the store, in the same order as a row's names. */
export const COLUMNS =
  "id UInt32, label LowCardinality(String), names String, body String, level Enum8('low' = 0, 'Medium' = 1, 'high' = 2), amount Nullable(UInt64), at Nullable(DateTime64(3, 'UTC')), address LowCardinality(String), peer String";

const PIECES = [
  ..."a A b z Z 0 1 % _ * ? . / \\ \" ' ( ) [ ] { } : - + | ^ $ , ; < > = & # @ ! ~ `".split(" "),
  " ",
  "\t",
  "\n",
  "\r",
  "ä",
  "Ä",
  "ß",
  "İ",
  "ſ",
  "K",
  "😀",
  "\u202e",
  "\u200b",
  "\u0000",
  "web",
  "Web",
  "error",
  "..",
  "\\n",
  "\\\\",
  "{q0:String}",
  "OR",
  "__proto__",
];
const ADDRESSES = [
  "10.0.0.1",
  "10.0.0.2",
  "10.1.255.255",
  "192.168.0.1",
  "::",
  "::1",
  "fd00::1",
  "fd00::ffff",
  "2001:db8::",
  "fe80::1",
];
const START_MS = Date.parse("2026-03-01T00:00:00Z");

export function randomRow(random: SeededRandom, id: number): Row {
  return {
    id,
    label: textOf(random, 3),
    names: textOf(random, 3),
    body: textOf(random, 8),
    level: random.pick(LEVELS),
    amount: random.chance(0.2) ? null : random.pick([0, 1, 2, 999, 1_000, 1_024, 2 ** 40, 2 ** 52]),
    at: random.chance(0.2) ? null : new Date(randomMs(random)).toISOString(),
    address: random.chance(0.2) ? "" : random.pick(ADDRESSES),
    peer: random.pick(ADDRESSES),
  };
}

/** Mostly right, made from what rows hold; the place of a wrong one is not asked for here. */
export function randomQuery(random: SeededRandom, rows: readonly Row[], depth = 0): string {
  const roll = random.fraction();
  if (depth < 3 && roll < 0.2) return `(${several(random, rows, depth, " OR ")})`;
  if (depth < 3 && roll < 0.4) return several(random, rows, depth, random.pick([" ", " AND "]));
  if (roll < 0.55) return `-${random.chance() ? "" : " "}${randomTerm(random, random.pick(rows))}`;
  return randomTerm(random, random.pick(rows));
}

function several(
  random: SeededRandom,
  rows: readonly Row[],
  depth: number,
  between: string,
): string {
  const count = random.integer(2, 3);
  return Array.from({ length: count }, () => randomQuery(random, rows, depth + 1)).join(between);
}

function randomTerm(random: SeededRandom, row: Row): string {
  switch (random.integer(0, 7)) {
    case 0:
      return textTerm(random, row);
    case 1:
      return valueFor(random, String(row["body"]));
    case 2:
      return `level${operator(random)}${random.pick([...LEVELS, "HIGH"])}`;
    case 3:
      return numberTerm(random, row);
    case 4:
      return timeTerm(random, row);
    case 5:
      return `${random.pick(["address", "peer", "any"])}:${network(random)}`;
    case 6:
      return random.pick([network(random), "10.0.0.1:999", "[fd00::1]:1", "1000", "10.0"]);
    default:
      return `${random.pick(["label", "labels", "body", "level", "amount", "at", "address", "any"])}:*`;
  }
}

function textTerm(random: SeededRandom, row: Row): string {
  const name = random.pick(["label", "body", "labels"]);
  const text = String(name === "labels" ? row["names"] : row["label"]);
  return `${name}:${valueFor(random, text)}`;
}

function numberTerm(random: SeededRandom, row: Row): string {
  const name = random.pick(["amount", "double"]);
  const number = Number(random.chance() ? (row["amount"] ?? 5) : random.integer(0, 3_000));
  if (random.chance(0.3))
    return `${name}:${random.pick(["", "1"])}..${random.pick(["", String(number)])}`;
  return `${name}${operator(random)}${number}`;
}

function timeTerm(random: SeededRandom, row: Row): string {
  const { at } = row;
  const isKnown = typeof at === "string" && random.chance();
  const iso = isKnown ? at : new Date(randomMs(random)).toISOString();
  const text = random.pick([iso.slice(0, 10), iso.slice(0, 16), iso.slice(0, 19), iso, "2h"]);
  if (random.chance(0.3)) return `at:${text}..${random.pick(["", "2026-03-02"])}`;
  return `at${operator(random)}${text}`;
}

function operator(random: SeededRandom): string {
  return random.pick([":", ">", ">=", "<", "<="]);
}

function network(random: SeededRandom): string {
  const address = random.pick(ADDRESSES);
  const bits = address.includes(":") ? 128 : 32;
  return random.chance() ? address : `${address}/${random.integer(0, bits)}`;
}

/** A part of a text that is there, as a phrase, a glob or an expression; or another text. */
function valueFor(random: SeededRandom, text: string): string {
  const from = random.integer(0, text.length);
  const part = random.chance(0.2)
    ? textOf(random, 2)
    : text.slice(from, from + random.integer(1, 4));
  const whole = part.isWellFormed() ? part : "a";
  switch (random.integer(0, 3)) {
    case 0:
      return `"${whole.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
    case 1:
      return `/${random.pick(["", "^", "(?i)", ".*"])}${escaped(whole)}${random.pick(["", "$", ".", "+", "?"])}/`;
    case 2:
      return `${random.pick(["*", ""])}${wordOf(whole)}*`;
    default:
      return wordOf(whole);
  }
}

/** What is left of a text where quotes, spaces and parentheses end a word. */
function wordOf(text: string): string {
  const word = text.replaceAll(/[\s()":<>/]/gu, "").replace(/^-+/, "");
  return word === "" || ["OR", "AND", "NOT"].includes(word) ? "web" : word;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function textOf(random: SeededRandom, piecesMax: number): string {
  return Array.from({ length: random.integer(0, piecesMax) }, () => random.pick(PIECES)).join("");
}

function randomMs(random: SeededRandom): number {
  return (
    START_MS + random.pick([0, 1, 999, 1_000, 59_999, 60_000, 86_399_999, 86_400_000, 100_000_000])
  );
}
