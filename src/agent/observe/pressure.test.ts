import assert from "node:assert/strict";
import { test } from "node:test";
import { Pressure, type Sample } from "./pressure.ts";

const CALM: Sample = { dropped: 0, read: 700, begun: 100, lagMs: 20 };
const DROPS: Sample = { ...CALM, dropped: 3 };

function after(pressure: Pressure, seconds: number, sample: Sample): string {
  let events = "";
  for (let second = 0; second < seconds; second++) ({ events } = pressure.sample(sample));
  return events;
}

test("one dropped event is enough to read less", () => {
  const decision = new Pressure().sample(DROPS);
  assert.deepEqual(decision, { events: "ends", reason: "the kernel dropped 3 events" });
});

test("too many events, or a reader that falls behind, too", () => {
  assert.equal(after(new Pressure(), 1, { ...CALM, read: 50_000 }), "ends");
  assert.equal(after(new Pressure(), 1, { ...CALM, lagMs: 5000 }), "all");
  assert.equal(after(new Pressure(), 2, { ...CALM, lagMs: 5000 }), "ends");
});

test("a stopped reader is not an overloaded one", () => {
  assert.equal(after(new Pressure(), 60, { dropped: 0, read: 0, begun: 0, lagMs: 60_000 }), "all");
});

test("all is read again after half a minute of calm without interruption", () => {
  const pressure = new Pressure();
  after(pressure, 1, DROPS);
  assert.equal(after(pressure, 29, CALM), "ends");
  assert.equal(after(pressure, 1, { ...CALM, begun: 9000 }), "ends");
  assert.equal(after(pressure, 29, CALM), "ends");
  assert.equal(after(pressure, 1, CALM), "all");
});

test("each relapse doubles the calm that is asked for", () => {
  const pressure = new Pressure();
  after(pressure, 1, DROPS);
  after(pressure, 30, CALM);
  after(pressure, 1, DROPS);
  assert.equal(after(pressure, 59, CALM), "ends");
  assert.equal(after(pressure, 1, CALM), "all");
});
