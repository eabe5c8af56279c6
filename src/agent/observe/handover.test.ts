import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConntrackLine, type ConntrackEvent } from "./conntrack-line.ts";
import { Handover } from "./handover.ts";

function event(name: string): ConntrackEvent {
  const type = name.startsWith("d") ? "DESTROY" : name.startsWith("u") ? "UPDATE" : "NEW";
  const port = Number(name.slice(1));
  const line = `[1.0]\t[${type}] ipv4 2 udp 17 src=10.0.0.1 dst=10.0.0.2 sport=${port} dport=9 src=10.0.0.2 dst=10.0.0.1 sport=9 dport=${port} id=${port}`;
  const parsed = parseConntrackLine(Buffer.from(line));
  if (parsed.type === "refused") throw new Error(parsed.reason);
  return parsed;
}

/** What the old reader delivered, what the new one brought before and after the merge, what is left of it. */
const cases: readonly [name: string, old: string, before: string, after: string, left: string][] = [
  ["nothing that both saw", "n1 n2 d1", "n1 n2 d1", "", ""],
  ["what only the new one saw", "n1", "n1 n2 d1", "", "n2 d1"],
  ["an event that the kernel ordered otherwise", "n1 n2", "n2 n3 n1", "", "n3"],
  ["a second instance of the same tuple", "n1 d1", "n1 d1 n1", "", "n1"],
  ["what the old one delivered and the new one brings late", "n1 n2", "n1", "n2 n3", "n3"],
  ["no change of state from before the merge", "n1 u1", "n1 u1", "u1", "u1"],
  ["no beginning that the old one lost, when it told of the end", "d1", "n1 d1 n1", "", "n1"],
  ["everything when the old one was deaf", "", "n1 d1 n2", "", "n1 d1 n2"],
];

for (const [name, old, before, after, left] of cases) {
  test(`leaves ${name}`, () => {
    const handover = new Handover();
    for (const word of words(old)) handover.fromOld(event(word));
    for (const word of words(before)) handover.fromNew(event(word), 0);
    const delivered = handover.merge().map((stamped) => stamped.event);
    for (const word of words(after)) {
      if (!handover.isRepeat(event(word))) delivered.push(event(word));
    }
    assert.deepEqual(delivered, words(left).map(event));
  });
}

function words(text: string): string[] {
  return text.split(" ").filter(Boolean);
}
