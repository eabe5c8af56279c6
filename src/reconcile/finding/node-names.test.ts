import assert from "node:assert/strict";
import { test } from "node:test";
import { LINE_BYTES_MAX } from "../../format/limits.ts";
import { encodeEntries, decodeEntries } from "../../format/payload.ts";
import type { Witness } from "../node/server-memory.ts";
import { accusedFinding, finding, type About } from "./findings.ts";
import { contestedFinding } from "./node-findings.ts";
import { nodeNames } from "./node-names.ts";
import { NodeStream } from "../node/node-stream.ts";

const CASES: readonly (readonly [names: readonly string[], text: string])[] = [
  [[], ""],
  [["a"], "a"],
  [["a", "b"], "a and b"],
  [["a", "b", "c"], "a, b and c"],
  [["a", "b", "c", "d"], "a, b, c and d"],
  [["a", "b", "c", "d", "e"], "a, b, c and 2 others"],
  [Array.from({ length: 1_000 }, () => "n"), "n, n, n and 997 others"],
];

test("names in a title", () => {
  for (const [names, text] of CASES) assert.equal(nodeNames(names), text);
});

test("a finding that a thousand nodes have a part in is an entry that every reader takes", () => {
  const nodes = Array.from({ length: 1_000 }, (_, index) => {
    const id = index.toString(16).padStart(32, "0");
    return new NodeStream(id, `node-${index}`.padEnd(63, "x"), index);
  });
  const [first] = nodes;
  const most = Number.MAX_SAFE_INTEGER;
  const witnesses: Witness[] = nodes.map(({ id }) => ({
    node: id,
    count: most,
    kinds: { "missing-half": most, "counters-differ": most },
    mismatches: Array.from({ length: 16 }, () => id),
    firstAtMs: most,
    lastAtMs: most,
    accusedLacks: most,
  }));
  const accusation = { node: first?.id ?? "", witnesses, sinceMs: 1_800_000_000_000, maxLiars: 1 };
  const nodeOf = (id: string): NodeStream => nodes[Number.parseInt(id, 16)] as NodeStream;
  const abouts: About[] = [
    accusedFinding(accusation, nodeOf),
    contestedFinding("default 10.0.0.1", nodes),
  ];
  for (const about of abouts) {
    const entry = { ...finding(about, "open"), atMs: 1_800_000_000_000 };
    const raw = Buffer.from(encodeEntries([entry], 0));
    assert.ok(raw.length <= LINE_BYTES_MAX, `a line of ${raw.length} bytes`);
    const [decoded] = decodeEntries(raw, { seqFirst: 0, entryCount: 1 });
    assert.deepEqual(decoded, entry);
    assert.equal(about.evidence["count"], nodes.length);
  }
});
