import assert from "node:assert/strict";
import { test } from "node:test";
import { chainHash, encodeHeader, FLAG } from "../format/batch.ts";
import { advance, type ChainState, emptyChain, judge, type Link } from "./chain.ts";
import { type SignOptions, SimNode } from "../../test/simulate/sim-node.ts";

const node = new SimNode("seven");
const other = chainHash(Buffer.alloc(232, 1));

function link(options: SignOptions = {}): Link {
  const { header } = node.sign(options);
  return { header, hash: chainHash(encodeHeader(header)) };
}

/** Three accepted batches of one entry each, and the state after them. */
const first = link();
node.moveOn({ header: first.header, frame: Buffer.alloc(0) });
const second = link();
node.moveOn({ header: second.header, frame: Buffer.alloc(0) });
const third = link();
node.moveOn({ header: third.header, frame: Buffer.alloc(0) });
const state: ChainState = advance(third);
const optedOut: ChainState = { ...state, optedOut: true };
const beyond: ChainState = { ...state, epoch: 3 };

interface Case {
  readonly name: string;
  readonly state?: ChainState;
  readonly link: Link;
  readonly known?: Uint8Array;
  /** The outcome, or for a refusal its code. */
  readonly expect: string;
  readonly firstKind?: string;
}

const epochStart = { epoch: 1, batchNo: 0, flags: FLAG.epochStart };

const CASES: readonly Case[] = [
  {
    name: "the very first",
    state: emptyChain(node.publicKey),
    link: first,
    expect: "accepted",
  },
  { name: "the next", link: link(), expect: "accepted" },
  { name: "the next, as heartbeat", link: link({ entries: [] }), expect: "accepted" },
  { name: "a hole in seq", link: link({ header: { seqFirst: 1000 } }), expect: "accepted" },
  { name: "the last again", link: third, expect: "duplicate" },
  {
    name: "the last number, other content",
    link: link({ header: { batchNo: 2 } }),
    expect: "fork",
  },
  { name: "an old one, hash at hand", link: second, known: second.hash, expect: "replayed" },
  { name: "an old one, hash not at hand", link: second, expect: "older" },
  { name: "an old number, other content", link: second, known: other, expect: "fork" },
  {
    name: "right number, wrong predecessor",
    link: link({ header: { prevHash: other } }),
    expect: "fork",
  },
  { name: "batch 0 with another genesis", state: emptyChain(other), link: first, expect: "fork" },
  { name: "a batch is missing", link: link({ header: { batchNo: 4 } }), expect: "chain_gap" },
  {
    name: "an epoch is missing",
    link: link({ header: { ...epochStart, epoch: 2 } }),
    expect: "chain_gap",
  },
  {
    name: "the next epoch, not its first",
    link: link({ header: { epoch: 1, batchNo: 3 } }),
    expect: "chain_gap",
  },
  { name: "an earlier epoch", state: beyond, link: link(), expect: "stale_epoch" },
  { name: "seq again", link: link({ header: { seqFirst: 2 } }), expect: "seq_reused" },
  {
    name: "epochStart in the middle",
    link: link({ header: { flags: FLAG.epochStart } }),
    expect: "bad_header",
  },
  {
    name: "a new epoch",
    link: link({ header: epochStart }),
    expect: "accepted",
    firstKind: "rollback",
  },
  {
    name: "a new epoch, seq restarts",
    link: link({ header: { ...epochStart, seqFirst: 0 } }),
    expect: "accepted",
    firstKind: "rollback",
  },
  {
    name: "a new epoch from another head",
    link: link({ header: { ...epochStart, prevHash: other } }),
    expect: "fork",
  },
  {
    name: "a new epoch without its flag",
    link: link({ header: { ...epochStart, flags: 0 } }),
    expect: "bad_header",
  },
  {
    name: "a new epoch without entries",
    link: link({ entries: [], header: epochStart }),
    expect: "bad_header",
  },
  {
    name: "after an opt-out",
    state: optedOut,
    link: link(),
    expect: "accepted",
    firstKind: "resume",
  },
  {
    name: "after an opt-out, nothing",
    state: optedOut,
    link: link({ entries: [] }),
    expect: "opted_out",
  },
  {
    name: "after an opt-out, a new epoch",
    state: optedOut,
    link: link({ header: epochStart }),
    expect: "accepted",
    firstKind: "rollback",
  },
  { name: "after an opt-out, its own retry", state: optedOut, link: third, expect: "duplicate" },
];

for (const one of CASES) {
  test(`chain: ${one.name} → ${one.expect}`, () => {
    const verdict = judge(one.state ?? state, one.link, one.known);
    const got = verdict.outcome === "refused" ? verdict.code : verdict.outcome;
    assert.equal(got, one.expect);
    const firstKind = verdict.outcome === "accepted" ? verdict.firstKind : undefined;
    assert.equal(firstKind, one.firstKind);
  });
}

test("chain: a gap names what is expected", () => {
  const verdict = judge(state, link({ header: { batchNo: 9 } }));
  assert.ok(verdict.outcome === "refused");
  assert.deepEqual(verdict.expected, { epoch: 0, batches: 3 });
});

test("chain: what follows an accepted batch is its own place", () => {
  const opt = advance(link({ header: { flags: FLAG.optOut } }));
  assert.deepEqual(
    { epoch: opt.epoch, batches: opt.batches, nextSeq: opt.nextSeq, optedOut: opt.optedOut },
    { epoch: 0, batches: 4, nextSeq: 4, optedOut: true },
  );
});
