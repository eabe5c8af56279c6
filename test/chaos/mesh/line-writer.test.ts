import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEntries } from "../../../src/format/payload.ts";
import type { Entry, Role } from "../../../src/format/entry.ts";
import { Dice } from "./dice.ts";
import { LineWriter, ROLE, STATE_NAMES } from "./line-writer.ts";

const KINDS = ["update", "close", "account"] as const;
const REPLY = {
  sourceIp: "10.0.0.2",
  sourcePort: 1,
  destinationIp: "10.0.0.9",
  destinationPort: 9,
};
const START_MS = 1_800_000_000_000;

const quoted = (ip: string) => Buffer.from(`"${ip}"`);

/** Writes one random entry and returns it as an object. */
function write(writer: LineWriter, dice: Dice, seq: number): Entry {
  const atMs = START_MS + dice.below(1_000_000) - 500_000;
  if (seq === 0 || dice.chance(0.4)) {
    const role = dice.pick<Role>(["initiator", "responder", "forwarder"]);
    const tuple = {
      protocol: dice.pick([6, 17]),
      initiatorIp: dice.pick(["10.0.0.1", "fd00::7:1"]),
      initiatorPort: dice.below(65_536),
      responderIp: "10.200.100.200",
      responderPort: dice.below(65_536),
    };
    const pickup = dice.chance(0.2);
    const isTranslated = dice.chance(0.2);
    writer.open(atMs, {
      ...tuple,
      role: ROLE[role],
      initiatorIp: quoted(tuple.initiatorIp),
      responderIp: quoted(tuple.responderIp),
      pickup,
      reply: isTranslated ? JSON.stringify(Object.values(REPLY)) : undefined,
    });
    return { kind: "open", atMs, role, tuple, pickup, ...(isTranslated ? { reply: REPLY } : {}) };
  }
  const kind = dice.pick(KINDS);
  const counted = dice.chance(0.6);
  const counters = {
    initiatorPackets: dice.below(2 ** 31),
    initiatorBytes: Math.floor(dice.fraction() * Number.MAX_SAFE_INTEGER),
    responderPackets: dice.below(10),
    responderBytes: 0,
  };
  const distance = 1 + dice.below(seq);
  const ageMs = dice.below(1_000_000_000);
  const state = dice.below(STATE_NAMES.length);
  const inferred = kind === "close" && dice.chance(0.3);
  const assured = dice.chance(0.5);
  const flags = (inferred ? 1 : 0) + (assured ? 2 : 0);
  const isExact = counted && dice.chance(0.5);
  const payload = { initiatorBytes: dice.below(9), responderBytes: 2 ** 40 };
  const written = {
    ...counters,
    initiatorBytes: counted ? counters.initiatorBytes : -1,
    initiatorPayload: isExact ? payload.initiatorBytes : -1,
    responderPayload: payload.responderBytes,
  };
  writer.amendment(atMs, { kind, distance, ageMs, state, flags, ...written });
  const openSeq = seq - distance;
  const name = STATE_NAMES[state] ?? "OTH";
  const said = {
    atMs,
    openSeq,
    ageMs,
    state: name,
    assured,
    ...(counted ? { counters } : {}),
    ...(isExact ? { payload } : {}),
  };
  return kind === "close" ? { kind, ...said, inferred } : { kind, ...said };
}

test("lines written as bytes are those of the format", () => {
  const dice = new Dice(7);
  const writer = new LineWriter(16);
  for (let round = 0; round < 20; round++) {
    const entries = Array.from({ length: 200 }, (_, seq) => write(writer, dice, seq));
    const stop: Entry = { kind: "stop", atMs: START_MS, reason: "§" };
    writer.object("stop", START_MS, '{"reason":"§"}');
    entries.push(stop);
    assert.equal(writer.text.toString(), encodeEntries(entries, 0));
    assert.equal(writer.count, 201);
    const times = entries.map((entry) => entry.atMs);
    assert.equal(writer.firstAtMs, Math.min(...times));
    assert.equal(writer.lastAtMs, Math.max(...times));
    writer.clear();
  }
});
