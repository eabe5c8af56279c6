import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { it } from "node:test";
import { auditExport, type ExportPage } from "./audit-export.ts";

const PAGES = 20;

/** Three items, and the place of the next three. */
const at = (number: number): ExportPage => ({
  items: [0, 1, 2].map((n) => ({ id: `${number * 3 + n}`, actor: "=cmd", changes: [], facts: {} })),
  ...(number + 1 < PAGES ? { next: String(number + 1) } : {}),
});

/** Pages of three items; counts what is asked for. */
function pages(): {
  first: ExportPage;
  page: (cursor: string) => Promise<ExportPage>;
  asked: () => number;
} {
  let asked = 1;
  return {
    first: at(0),
    page: async (cursor) => {
      asked++;
      return at(Number(cursor));
    },
    asked: () => asked,
  };
}

it("gives every item once, in order", async () => {
  const { first, page } = pages();
  const lines = (await text(Readable.from(auditExport("ndjson", first, page))))
    .trimEnd()
    .split("\n");
  const ids = lines.map((line) => Number((JSON.parse(line) as { id: string }).id));
  assert.deepEqual(
    ids,
    Array.from({ length: PAGES * 3 }, (_, n) => n),
  );
});

it("begins CSV with names, and runs no formula", async () => {
  const { first, page } = pages();
  const lines = (await text(Readable.from(auditExport("csv", first, page)))).split("\r\n");
  assert.equal(lines.length, PAGES * 3 + 2);
  assert.match(lines[0] ?? "", /^time,id,operation,actor_type,/);
  assert.match(lines[1] ?? "", /,'=cmd,/);
});

it("asks for no page that nobody reads, and for none after the reader has gone", async () => {
  const { first, page, asked } = pages();
  const stream = Readable.from(auditExport("ndjson", first, page), { highWaterMark: 1 });
  const reading = stream[Symbol.asyncIterator]();
  await reading.next();
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  assert.ok(asked() <= 3, `${asked()} pages`);
  const before = asked();
  stream.destroy();
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  assert.equal(asked(), before);
});
