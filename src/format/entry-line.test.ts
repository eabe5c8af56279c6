import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import type { Entry } from "./entry.ts";
import { decodeLine, encodeLine } from "./entry-line.ts";
import { FormatError } from "./format-error.ts";
import { TIME_MS_END } from "./limits.ts";
import { randomEntry } from "./random-entry.ts";

const refused = { name: "FormatError", code: "bad_entry" };
const first = { seq: 0, previousAtMs: 0 };
const later = { seq: 10, previousAtMs: 1_800_000_000_000 };

test("any entry comes back from its line, wherever it stands", () => {
  const random = new SeededRandom(61);
  for (let round = 0; round < 6_000; round++) {
    const aroundMs = random.pick([2_000, 1_800_000_000_000, TIME_MS_END - 20_000]);
    const entry = randomEntry(random, { seq: random.integer(0, 1_000), aroundMs });
    const seq = "openSeq" in entry ? entry.openSeq + random.integer(1, 1_000) : 5;
    const position = { seq, previousAtMs: random.integer(0, TIME_MS_END - 1) };
    const line = encodeLine(entry, position);
    assert.ok(!line.includes("\n"), "newline-free");
    assert.ok(line.isWellFormed());
    assert.deepEqual(decodeLine(line, position), entry, line);
  }
});

test("any change of a line is refused, or is another entry with that very line", () => {
  const random = new SeededRandom(62);
  let accepted = 0;
  for (let round = 0; round < 12_000; round++) {
    const line = encodeLine(randomEntry(random, { seq: 9, aroundMs: later.previousAtMs }), later);
    const changed = mutate(random, line);
    try {
      assert.equal(encodeLine(decodeLine(changed, later), later), changed);
      accepted++;
    } catch (error) {
      assert.ok(
        error instanceof FormatError && error.code === "bad_entry",
        `${String(error)}: ${changed}`,
      );
    }
  }
  assert.ok(accepted > 300, String(accepted));
});

const TOKENS = [
  '"',
  "\\",
  ",",
  "[",
  "]",
  "{",
  "}",
  ":",
  " ",
  "-",
  "0",
  "9",
  ".",
  "e",
  "null",
  "\\u0061",
  "__proto__",
  "\u0000",
  "é",
];

function mutate(random: SeededRandom, line: string): string {
  const at = random.integer(0, line.length);
  const end = at + random.integer(0, 3);
  const other = random.integer(0, line.length);
  return random.pick([
    line.slice(0, at) + random.pick(TOKENS) + line.slice(at),
    line.slice(0, at) + random.pick(TOKENS) + line.slice(end),
    line.slice(0, at) + line.slice(end),
    line.slice(0, at) + line.slice(Math.min(at, other), Math.max(at, other)) + line.slice(at),
    line.slice(0, at),
  ]);
}

const tick = (time: number | string): string => `["tick",${time},{}]`;

describe("time", () => {
  const cases: readonly (readonly [
    time: number | string,
    previousAtMs: number,
    atMs: number | undefined,
  ])[] = [
    [0, 0, 0],
    [TIME_MS_END - 1, 0, TIME_MS_END - 1],
    [TIME_MS_END, 0, undefined],
    [-1, 0, undefined],
    [-1, 1, 0],
    [-2, 1, undefined],
    [1, TIME_MS_END - 2, TIME_MS_END - 1],
    [1, TIME_MS_END - 1, undefined],
    ["9007199254740991", 0, undefined],
    ["9007199254740991", 9_007_199_254_740_991, undefined],
    ["9007199254740992", 0, undefined],
    ["-9007199254740992", 0, undefined],
    ["1e400", 0, undefined],
    ["null", 0, undefined],
    ['"0"', 0, undefined],
    ["0.5", 0, undefined],
    ["[0]", 0, undefined],
  ];
  for (const [time, previousAtMs, atMs] of cases) {
    test(`${time} after ${previousAtMs} is ${atMs ?? "refused"}`, () => {
      const position = { seq: 0, previousAtMs };
      if (atMs === undefined) assert.throws(() => decodeLine(tick(time), position), refused);
      else assert.deepEqual(decodeLine(tick(time), position), { kind: "tick", atMs });
    });
  }
});

describe("no line", () => {
  const lines = [
    "",
    " ",
    "\t",
    "\r",
    "null",
    "1",
    '"open"',
    "{}",
    '{"0":"tick","1":0,"2":{},"length":3}',
    "[]",
    "[",
    '["tick"]',
    '["tick",0]',
    "[null,0,{}]",
    "[1,0,{}]",
    '[["tick"],0,{}]',
    '["tock",0,{}]',
    '["",0,{}]',
    '["Tick",0,{}]',
    '["__proto__",0,{}]',
    '["constructor",0,{}]',
    '["toString",0,{}]',
    '["hasOwnProperty",0,{}]',
    '["tick",0,[]]',
    '["tick",0,null]',
    '["tick",0,"{}"]',
    '["tick",0,{},0]',
    '["tick",0,{}]["tick",0,{}]',
    '["tick",0,{}],',
    '["tick",0,{}]//',
    "['tick',0,{}]",
    '["tick",0,{},]',
    '["tick",NaN,{}]',
    '["tick",+0,{}]',
    '["tick",00,{}]',
    '["tick",0x0,{}]',
    '["tick",.0,{}]',
    '["tick",0.,{}]',
    "[".repeat(60_000),
    `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
    `["open",0,${"[".repeat(30_000)}${"]".repeat(30_000)},6,"::",0,"::",0]`,
    `["tick",0,${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}]`,
  ];
  for (const line of lines) {
    test(JSON.stringify(line.slice(0, 50)), () => {
      assert.throws(() => decodeLine(line, first), refused);
      assert.throws(
        () => decodeLine(line, first),
        (error: Error) => error.message.length < 300,
      );
    });
  }
});

/** Lines that JSON reads as an entry, and that are not its one spelling. */
describe("another spelling", () => {
  const log = '["log",0,{"severity":9,"body":"a","attributes":{}}]';
  decodeLine(log, first);
  const lines = [
    ' ["tick",0,{}]',
    '["tick",0,{}] ',
    '["tick",0,{}]\r',
    '\ufeff["tick",0,{}]',
    '["tick",0,{}]\u0000',
    '["tick", 0,{}]',
    '["tick",0,{ }]',
    '["tick",-0,{}]',
    '["tick",0.0,{}]',
    '["tick",0e0,{}]',
    '["tick",1.0,{}]',
    '["tick",1e3,{}]',
    '["tick",1E3,{}]',
    '["tick",1000e-3,{}]',
    '["\\u0074ick",0,{}]',
    '["close",0,1,0,"SF",-0]',
    '["close",0,1,0,"\\u0053F",0]',
    '["open",0,"i",6,"10.0.0.1",1e0,"10.0.0.2",443]',
    '["open",0,"i",6,"10.0.0.\\u0031",1,"10.0.0.2",443]',
    '["log",0,{"severity":9,"body":"a","body":"a","attributes":{}}]',
    '["log",0,{"severity":8,"severity":9,"body":"a","attributes":{}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"k":1,"k":2}}]',
    '["log",0,{"severity":9,"body":"\\/","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\u0061","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\u000a","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\u001F","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\u00e9","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\ud834\\udd1e","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\ud800","attributes":{}}]',
    '["log",0,{"severity":9,"body":"\\udc00\\ud800","attributes":{}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"\\ud800":1}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"k":1.50}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"k":-0}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"k":1E400}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"k":9007199254740993}}]',
    '["log",0,{"severity":9,"body":"a","attributes":{"k":1e2}}]',
    '["finding",0,{"id":"","evidence":{"b":1,"1":2}}]',
  ];
  for (const line of lines) {
    test(JSON.stringify(line), () => {
      const position = line.startsWith('["close"') ? { seq: 1, previousAtMs: 0 } : first;
      assert.throws(() => decodeLine(line, position), refused);
    });
  }

  test("the error shows where, and what was expected", () => {
    assert.throws(() => decodeLine('["tick",1e3,{}]', first), {
      message: `not in canonical form at character 10: expected ${JSON.stringify('"tick",1000,{}]')}, got ${JSON.stringify('"tick",1e3,{}]')}`,
    });
  });
});

test("JSON's own escapes, and no others, are what the encoder writes", () => {
  const cases: readonly (readonly [body: string, json: string])[] = [
    ["\b\t\n\f\r", String.raw`\b\t\n\f\r`],
    ["\u0000\u001f", String.raw`\u0000\u001f`],
    ['"\\/', String.raw`\"\\/`],
    ["\u007f\u2028\ufeff<>&é𝄞", "\u007f\u2028\ufeff<>&é𝄞"],
  ];
  for (const [body, json] of cases) {
    const entry: Entry = { kind: "stop", atMs: 0, reason: body };
    assert.equal(encodeLine(entry, first), `["stop",0,{"reason":"${json}"}]`);
    assert.deepEqual(decodeLine(encodeLine(entry, first), first), entry);
  }
});

test("lone surrogates become U+FFFD; what only looks like one stays", () => {
  const cases: readonly (readonly [text: string, expected: string])[] = [
    ["\ud800", "\ufffd"],
    ["a\udc00b", "a\ufffdb"],
    ["\ud800\ud800", "\ufffd\ufffd"],
    ["\udc00\ud834\udd1e", "\ufffd𝄞"],
    ["\\ud800", "\\ud800"],
    ["\\\ud800", "\\\ufffd"],
    ["\\\\ud800", "\\\\ud800"],
    ["\\\\\udfff", "\\\\\ufffd"],
    ["🚒".slice(0, 1), "\ufffd"],
  ];
  for (const [text, expected] of cases) {
    const line = encodeLine(
      { kind: "log", atMs: 0, severity: 1, body: text, attributes: { [`k${text}`]: text } },
      first,
    );
    assert.deepEqual(decodeLine(line, first), {
      kind: "log",
      atMs: 0,
      severity: 1,
      body: expected,
      attributes: { [`k${expected}`]: expected },
    });
  }
});
