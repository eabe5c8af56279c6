import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenEntry } from "../../format/entry.ts";
import { ManualClock } from "../../std/clock.ts";
import type { Half } from "./half-table.ts";
import { SOCKET_END_WAIT_MS, SOCKET_ENDS_MAX, TUPLE_QUIET_MS, TUPLES_GONE_MAX } from "./limits.ts";
import { PayloadNotes } from "./payload-notes.ts";

const TUPLE = {
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "10.0.0.2",
  responderPort: 443,
};
const PAYLOAD = { initiatorBytes: 5, responderBytes: 6 };
const OTHER = { initiatorBytes: 50, responderBytes: 60 };

class Rig {
  readonly clock = new ManualClock();
  readonly notes = new PayloadNotes(this.clock);

  open(change: Partial<Half> = {}, entry: Partial<OpenEntry> = {}): Half {
    const half: Half = {
      id: 1,
      zone: 0,
      protocol: 6,
      ...TUPLE,
      openSeq: 1,
      openedAtMs: this.clock.nowMs(),
      pickup: false,
      muted: false,
      kernelState: "TIME_WAIT",
      established: true,
      assured: true,
      prompted: false,
      ended: "SF",
      unbegun: false,
      generation: 0,
      counters: undefined,
      payload: undefined,
      ...change,
    };
    const tuple = { protocol: half.protocol, ...TUPLE };
    this.notes.opened(half, {
      kind: "open",
      atMs: half.openedAtMs,
      role: "initiator",
      tuple,
      pickup: false,
      ...entry,
    });
    return half;
  }

  /** A socket ends, and the events up to there are read. */
  end(payload = PAYLOAD, tuple = TUPLE): void {
    this.notes.ended({ ...tuple, payload });
    this.pass(1);
    this.notes.settle(this.clock.nowMs());
  }

  pass(ms: number): void {
    this.clock.advance(ms);
  }
}

test("a socket's payload comes to its half", () => {
  const rig = new Rig();
  const half = rig.open();
  const other = rig.open({ initiatorPort: 40_001 });
  rig.end();
  assert.deepEqual(half.payload, PAYLOAD);
  assert.equal(other.payload, undefined);
});

test("it waits until the events up to its end are read, whatever comes first", () => {
  const rig = new Rig();
  rig.notes.ended({ ...TUPLE, payload: PAYLOAD });
  const half = rig.open();
  rig.notes.settle(rig.clock.nowMs());
  assert.equal(half.payload, undefined);
  rig.pass(1);
  rig.notes.settle(rig.clock.nowMs());
  assert.deepEqual(half.payload, PAYLOAD);
});

test("it waits no longer than that, where no marks come", () => {
  const rig = new Rig();
  const half = rig.open();
  rig.notes.ended({ ...TUPLE, payload: PAYLOAD });
  rig.pass(SOCKET_END_WAIT_MS);
  rig.notes.settle(0);
  rig.notes.settle(rig.clock.nowMs());
  assert.equal(half.payload, undefined);
});

const WITHOUT: readonly (readonly [what: string, Partial<Half>, Partial<OpenEntry>])[] = [
  ["UDP", { protocol: 17 }, {}],
  ["a router's", {}, { role: "forwarder" }],
  ["one whose beginning was not seen", {}, { pickup: true }],
  [
    "a translated one",
    {},
    {
      reply: {
        sourceIp: "10.9.0.2",
        sourcePort: 8443,
        destinationIp: "10.0.0.1",
        destinationPort: 40_000,
      },
    },
  ],
];
for (const [what, change, entry] of WITHOUT) {
  test(`no payload: ${what}`, () => {
    const rig = new Rig();
    const half = rig.open(change, entry);
    rig.end();
    assert.equal(half.payload, undefined);
    rig.notes.gone(half);
  });
}

for (const kernelState of ["", "SYN_SENT", "SYN_RECV", "ESTABLISHED"]) {
  test(`a half that goes on (${kernelState || "nothing known"}) is another one's: it takes none, then or later`, () => {
    const rig = new Rig();
    const half = rig.open({ kernelState, ended: null });
    rig.end();
    half.kernelState = "TIME_WAIT";
    rig.end(OTHER);
    assert.equal(half.payload, null);
  });
}

test("two sockets of one half: neither", () => {
  const rig = new Rig();
  const half = rig.open();
  rig.end();
  rig.end(OTHER);
  assert.equal(half.payload, null);
  rig.end();
  assert.equal(half.payload, null);
});

test("a tuple that comes again soon takes none; what the former had it keeps", () => {
  const rig = new Rig();
  const first = rig.open();
  rig.end();
  rig.notes.gone(first);
  rig.pass(TUPLE_QUIET_MS - 2);
  rig.notes.settle(rig.clock.nowMs());
  const second = rig.open();
  rig.end(OTHER);
  assert.deepEqual([first.payload, second.payload], [PAYLOAD, null]);
});

test("nor while the former is still known", () => {
  const rig = new Rig();
  const first = rig.open();
  const second = rig.open();
  rig.end();
  assert.deepEqual([first.payload, second.payload], [undefined, null]);
  // The end of the former does not forget the latter.
  rig.notes.gone(first);
  rig.end();
  assert.equal(second.payload, null);
});

test("after a while it is a tuple like any other", () => {
  const rig = new Rig();
  rig.notes.gone(rig.open());
  rig.pass(TUPLE_QUIET_MS);
  rig.notes.settle(rig.clock.nowMs());
  const later = rig.open();
  rig.end();
  assert.deepEqual(later.payload, PAYLOAD);
});

test("what began before events were lost takes none; what begins afterwards does", () => {
  const rig = new Rig();
  const before = rig.open();
  rig.notes.interrupted();
  rig.pass(1);
  const after = rig.open({ initiatorPort: 40_001 });
  rig.end();
  rig.end(PAYLOAD, { ...TUPLE, initiatorPort: 40_001 });
  assert.deepEqual([before.payload, after.payload], [null, PAYLOAD]);
});

test("more sockets than are held at once are passed over", () => {
  const rig = new Rig();
  const half = rig.open();
  for (let index = 0; index < SOCKET_ENDS_MAX; index++) {
    rig.notes.ended({ ...TUPLE, responderPort: 1, payload: OTHER });
  }
  rig.end();
  assert.equal(half.payload, undefined);
  rig.end();
  assert.deepEqual(half.payload, PAYLOAD);
});

test("more tuples than are remembered: for a while none is sure", () => {
  const rig = new Rig();
  for (let index = 0; index <= TUPLES_GONE_MAX; index++) {
    const initiatorIp = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    rig.notes.gone(rig.open({ initiatorIp }));
  }
  const half = rig.open({ initiatorPort: 40_001 });
  assert.equal(half.payload, null);
  rig.pass(TUPLE_QUIET_MS);
  rig.notes.settle(rig.clock.nowMs());
  assert.equal(rig.open({ initiatorPort: 40_002 }).payload, undefined);
});
