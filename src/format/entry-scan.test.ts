import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { describe, it } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { AddressTable } from "./address-table.ts";
import { EntryBlock, toEntry, WORD, ENTRY_WORDS } from "./entry-block.ts";
import { decodeLine } from "./entry-line.ts";
import { type ExpectedEntries, scanEntries } from "./entry-scan.ts";
import type { Entry } from "./entry.ts";
import { encodeEntries } from "./payload.ts";
import { randomEntries } from "./random-entry.ts";

const CONNECTION: ReadonlySet<string> = new Set(["open", "update", "close", "account"]);

type Outcome =
  | { readonly entries: readonly [seq: number, entry: Entry][] }
  | { readonly error: string };

const addresses = new AddressTable();
const block = new EntryBlock(1);

/** What the scanner makes of a payload. */
function scanned(raw: Buffer, expected: ExpectedEntries): Outcome {
  block.clear();
  const others: [number, Entry][] = [];
  const other = (entry: Entry, seq: number): void => {
    assert.ok(!CONNECTION.has(entry.kind), "connections go into the block");
    others.push([seq, entry]);
  };
  try {
    scanEntries(raw, expected, { block, addresses, other });
  } catch (error) {
    return { error: String(error) };
  }
  const records = Array.from({ length: block.length }, (_, index): [number, Entry] => [
    block.words[index * ENTRY_WORDS + WORD.seq] ?? -1,
    toEntry(block, index, addresses),
  ]);
  return { entries: [...records, ...others].toSorted(([a], [b]) => a - b) };
}

/** The same, by decodeLine alone. */
function decoded(raw: Buffer, { seqFirst, entryCount }: ExpectedEntries): Outcome {
  if (!isUtf8(raw)) return { error: "FormatError: the payload is not UTF-8" };
  const lines = raw.toString().split("\n");
  const rest = lines.pop();
  const entries: [number, Entry][] = [];
  let previousAtMs = 0;
  const announced = `FormatError: the header announces ${entryCount} entries, the payload has`;
  for (const [index, line] of lines.entries()) {
    if (index === entryCount) return { error: `${announced} more` };
    const seq = seqFirst + index;
    try {
      const entry = decodeLine(line, { seq, previousAtMs });
      previousAtMs = entry.atMs;
      entries.push([seq, entry]);
    } catch (error) {
      const { message } = error as Error;
      return { error: `FormatError: line ${index + 1}: ${message}` };
    }
  }
  if (rest !== "") return { error: "FormatError: the last line has no newline" };
  if (lines.length !== entryCount) return { error: `${announced} ${lines.length}` };
  return { entries };
}

function check(raw: Buffer, expected: ExpectedEntries): void {
  assert.deepEqual(scanned(raw, expected), decoded(raw, expected), raw.toString("latin1"));
}

const LINES = [
  '["open",1800000000000,"i",6,"10.0.0.1",40000,"10.0.0.2",443]',
  '["open",-12,"f",17,"fd00::1",5,"fd00:1:2:3::4",0]',
  '["open",5,"r",6,"10.0.0.1",40000,"10.0.0.2",443,1,["192.0.2.1",80,"10.0.0.1",9],"lab"]',
  '["update",100,2,0,"S1",2,1,60,0,9007199254740991]',
  '["close",0,1,50,"RSTO",3,0,0,0,10]',
  '["close",0,1,5,"SF",0]',
  '["account",15,3,0,"REJ",2,1,2,3,4]',
];

describe("scanEntries", () => {
  it("gives what decodeLine gives, of any batch", () => {
    const random = new SeededRandom(11);
    for (let round = 0; round < 300; round++) {
      const seqFirst = random.pick([0, 1, random.integer(0, 1_000_000), 9_007_199_254_730_000]);
      const entries = randomEntries(random, { count: random.integer(0, 60), seqFirst });
      const raw = Buffer.from(encodeEntries(entries, seqFirst));
      const expected = { seqFirst, entryCount: entries.length };
      const outcome = scanned(raw, expected);
      assert.deepEqual(outcome, { entries: entries.map((one, at) => [seqFirst + at, one]) });
      assert.deepEqual(outcome, decoded(raw, expected));
    }
  });

  for (const line of LINES) {
    it(`takes and refuses as decodeLine does, each byte changed: ${line}`, () => {
      const before = '["open",1800000000000,"i",6,"10.0.0.1",40000,"10.0.0.2",443]\n';
      // As the second line its time is relative.
      const first = line.includes("1800000000000");
      const text = Buffer.from(first ? `${line}\n` : `${before}${line}\n`);
      const expected = { seqFirst: 500, entryCount: first ? 1 : 2 };
      check(text, expected);
      for (let at = first ? 0 : before.length; at < text.length; at++) {
        const own = text[at] ?? 0;
        for (let byte = 0; byte < 128; byte++) {
          text[at] = byte;
          check(text, expected);
        }
        text[at] = own;
        check(text.subarray(0, at), expected);
        check(without(text, at), expected);
      }
    });
  }

  it("does the same with several changes, of bytes that a line is made of", () => {
    const random = new SeededRandom(12);
    const text = Buffer.from(`${LINES.join("\n")}\n`);
    for (let round = 0; round < 20_000; round++) {
      const changed = Buffer.from(text);
      for (let change = random.integer(1, 3); change > 0; change--) {
        const from = random.integer(0, text.length - 1);
        changed[random.integer(0, text.length - 1)] = text[from] ?? 0;
      }
      check(changed, { seqFirst: 500, entryCount: LINES.length });
    }
  });

  const tick = '["tick",0,{}]\n';
  const close = '["close",9,1,0,"SF",0]\n';
  const cases: readonly [what: string, text: string | Buffer, entryCount: number][] = [
    ["nothing", "", 0],
    ["nothing, one announced", "", 1],
    ["no newline at all", close.trim(), 1],
    ["no newline at the end", `${close}${close.trim()}`, 2],
    ["no newline, and more than announced", `${close}${close.trim()}`, 1],
    ["fewer than announced", close, 2],
    ["more than announced", close + close, 1],
    ["more than announced, and wrong", `${close}nonsense\n`, 1],
    ["a newline alone", "\n", 1],
    ["newlines", "\n\n\n", 3],
    ["the beginning of a line", "[\n", 1],
    ["the head of a line", '["close",\n', 1],
    ["an end within a number", '["close",9,1,12', 1],
    ["an end within an address", '["open",9,"i",6,"10.0.0', 1],
    ["an address over two lines", '["open",9,"i",6,"10.0.\n0.1",1,"10.0.0.2",2]\n', 2],
    ["a state over two lines", '["close",9,1,0,"S\nF",0]\n', 2],
    ["a state that is too long", '["close",9,1,0,"xxxxS0",0]\n', 1],
    ["an open that lies before the stream", close, 1],
    ["a time that goes below zero", `${tick}["close",-1,1,0,"SF",0]\n`, 2],
    ["an age from before 1970", `${tick}["close",9,1,10,"SF",0]\n`, 2],
    ["other entries between", `${tick}${close}${tick}${close}`, 4],
    ["no UTF-8", Buffer.concat([Buffer.from(close), Buffer.from([0xff, 0x0a])]), 2],
  ];
  for (const [what, text, entryCount] of cases) {
    for (const seqFirst of [0, 1]) {
      it(`does as decodeLine does with ${what}, from ${seqFirst}`, () => {
        check(Buffer.from(text), { seqFirst, entryCount });
      });
    }
  }

  it("adds to what is in the block", () => {
    const into = { block: new EntryBlock(1), addresses, other: () => assert.fail("no other") };
    for (const seqFirst of [10, 11]) {
      scanEntries(Buffer.from(close), { seqFirst, entryCount: 1 }, into);
    }
    assert.equal(into.block.length, 2);
    assert.equal(into.block.words[ENTRY_WORDS + WORD.seq], 11);
  });

  it("hands out other entries when what came before them is in the block", () => {
    const into = {
      block: new EntryBlock(1),
      addresses,
      other: () => lengths.push(into.block.length),
    };
    const lengths: number[] = [];
    const text = tick + close + close + tick + close + tick;
    scanEntries(Buffer.from(text), { seqFirst: 0, entryCount: 6 }, into);
    assert.deepEqual(lengths, [0, 2, 3]);
  });

  it("lets through what the reader throws", () => {
    const thrown = new Error("mine");
    const other = (): void => {
      throw thrown;
    };
    assert.throws(
      () =>
        scanEntries(Buffer.from(tick), { seqFirst: 0, entryCount: 1 }, { block, addresses, other }),
      (error) => error === thrown,
    );
  });
});

function without(bytes: Buffer, at: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
}
