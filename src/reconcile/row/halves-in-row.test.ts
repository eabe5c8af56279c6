import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../test/simulate/memory-store.ts";
import { RowBlocks } from "../../store/row-blocks.ts";
import { join, otherOf } from "../half/connection.ts";
import {
  BIT,
  CELL,
  END_STATE_AT,
  FORWARDER,
  Half,
  NO_END_STATE,
  type NumberedTuple,
  PROTOCOL_AT,
  ROLE_AT,
  WORD,
} from "../half/half-records.ts";
import { hasMark, MARK } from "../half/half-state.ts";
import { Reconcile } from "../reconcile.ts";
import { restoreConnection } from "./restore-connection.ts";
import { writeConnection } from "./write-connection.ts";

const OPENED_MS = 1_800_000_000_000;
const TCP = 6;
const [INITIATOR, RESPONDER] = [0, 1];

/** `address:port` of the initiator and the responder. */
type Ends = readonly [initiator: string, responder: string];

interface HalfOf {
  readonly node: string;
  readonly role: number;
  readonly isPickup: boolean;
  readonly ends: Ends;
  readonly second?: Ends;
}

const NODES = ["aa", "bb"].map((byte) => byte.repeat(16));
const [OUTSIDE, INSIDE] = ["192.0.2.1:50001", "10.0.0.9:8443"];

function tupleOf({ addresses }: Reconcile, [initiator, responder]: Ends): NumberedTuple {
  const [initiatorIp = "", initiatorPort] = initiator.split(":");
  const [responderIp = "", responderPort] = responder.split(":");
  return {
    initiatorIp: addresses.numberOf(initiatorIp),
    initiatorPort: Number(initiatorPort),
    responderIp: addresses.numberOf(responderIp),
    responderPort: Number(responderPort),
  };
}

function endsOf({ addresses }: Reconcile, tuple: NumberedTuple): Ends {
  return [
    `${addresses.textOf(tuple.initiatorIp)}:${tuple.initiatorPort}`,
    `${addresses.textOf(tuple.responderIp)}:${tuple.responderPort}`,
  ];
}

function make(reconcile: Reconcile, { node, role, isPickup, ends, second }: HalfOf): Half {
  const half = reconcile.allocate(reconcile.streamFor(node), { seq: 7, epoch: 0 });
  assert.ok(half !== undefined);
  const { records, slot } = half;
  records.setWord(slot, WORD.openedMs, OPENED_MS);
  records.setWord(slot, WORD.serverMs, OPENED_MS);
  records.setCell(slot, CELL.network, reconcile.names.networks.numberOf(undefined));
  const bits = (isPickup ? BIT.pickup : 0) | (role << ROLE_AT) | (NO_END_STATE << END_STATE_AT);
  records.setCell(slot, CELL.bits, bits | (TCP << PROTOCOL_AT));
  half.setTuple(tupleOf(reconcile, ends));
  if (second !== undefined) records.rareOf(slot).second = tupleOf(reconcile, second);
  return half;
}

/** What a comparison holds of all halves, by node. */
function told(reconcile: Reconcile): (HalfOf & { readonly isPaired: boolean })[] {
  const halves = Array.from(
    { length: reconcile.records.end },
    (_, slot) => new Half(reconcile.records, reconcile.names, slot),
  );
  return halves
    .filter((half) => hasMark(half, MARK.live))
    .map((half) => ({
      node: half.node.id,
      role: half.roleNumber,
      isPickup: half.pickup,
      ends: endsOf(reconcile, {
        initiatorIp: half.initiatorIpNumber,
        initiatorPort: half.initiatorPort,
        responderIp: half.responderIpNumber,
        responderPort: half.responderPort,
      }),
      ...(half.second === undefined ? {} : { second: endsOf(reconcile, half.second) }),
      isPaired: half.isPaired,
    }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

/** Writes the row of these halves, and reads it back where nothing else is known. */
async function again(halves: readonly HalfOf[]): Promise<ReturnType<typeof told>> {
  const before = new Reconcile({ serverId: "cc".repeat(16) });
  const [first, second] = halves.map((half) => make(before, half));
  assert.ok(first !== undefined);
  const key = second === undefined ? first : join(first, second);
  const blocks = new RowBlocks();
  writeConnection(blocks, { key, other: otherOf(key), peerName: "", tombstones: [] }, 1);
  const store = new MemoryStore();
  for (const block of blocks.drain()) await store.insert(block, block.table);
  const after = new Reconcile({ serverId: "cc".repeat(16) });
  await store.eachUnsettled(0, ({ row }) =>
    restoreConnection(after, { row, receivedMs: () => OPENED_MS }),
  );
  return told(after);
}

function check(name: string, halves: readonly HalfOf[]): void {
  it(name, async () => {
    const isPaired = halves.length === 2;
    assert.deepEqual(
      await again(halves),
      halves.map((half) => ({ ...half, isPaired })),
    );
  });
}

const BOTH = [false, true];
const word = (isSo: boolean, yes: string): string => (isSo ? `, ${yes}` : "");
const turned = ([initiator, responder]: Ends): Ends => [responder, initiator];
const roleName = (role: number): string =>
  ["initiator", "responder", "forwarder"][role] ?? "nothing";

describe("a half alone is read back from its row as it was", () => {
  for (const role of [INITIATOR, RESPONDER, FORWARDER]) {
    for (const isPickup of BOTH) {
      for (const isTranslated of BOTH) {
        const [node = ""] = NODES;
        const ends: Ends = ["10.0.0.1:40000", "10.0.0.2:443"];
        const second: Ends = [OUTSIDE, INSIDE];
        const half = { node, role, isPickup, ends, ...(isTranslated ? { second } : {}) };
        check(
          `${roleName(role)}${word(isPickup, "picked up")}${word(isTranslated, "translated")}`,
          [half],
        );
      }
    }
  }
});

describe("two ends are read back from their row as they were", () => {
  // Either of the two has the lower address, and so the row's name.
  for (const [mine, theirs] of [
    ["10.0.0.1:40000", "10.0.0.2:443"],
    ["10.0.0.3:40000", "10.0.0.2:443"],
  ] as const) {
    for (const [one, other] of [
      [INITIATOR, RESPONDER],
      [RESPONDER, INITIATOR],
      [INITIATOR, INITIATOR],
      [RESPONDER, RESPONDER],
    ] as const) {
      for (const isOnePickup of BOTH) {
        for (const isOtherPickup of BOTH) {
          for (const isTranslated of BOTH) {
            const seen: Ends = [mine, theirs];
            const seenByOther: Ends = [isTranslated ? OUTSIDE : mine, theirs];
            const [node = "", peer = ""] = NODES;
            const name =
              `${roleName(one)}${word(isOnePickup, "picked up")} at ${mine}, ` +
              `${roleName(other)}${word(isOtherPickup, "picked up")}${word(isTranslated, "translated")}`;
            check(name, [
              {
                node,
                role: one,
                isPickup: isOnePickup,
                ends: one === INITIATOR ? seen : turned(seen),
              },
              {
                node: peer,
                role: other,
                isPickup: isOtherPickup,
                ends: other === RESPONDER ? seenByOther : turned(seenByOther),
              },
            ]);
          }
        }
      }
    }
  }
});

describe("an end and a forwarder that stands for the other are read back from their row as they were", () => {
  for (const role of [INITIATOR, RESPONDER]) {
    for (const isPickup of BOTH) {
      for (const isForwarderPickup of BOTH) {
        for (const isBehind of BOTH) {
          const ends: Ends = ["10.0.0.1:40000", "10.0.0.2:443"];
          const second: Ends = [OUTSIDE, INSIDE];
          const [node = "", router = ""] = NODES;
          const name =
            `${roleName(role)}${word(isPickup, "picked up")}${word(isBehind, "behind it")}, ` +
            `forwarder${word(isForwarderPickup, "picked up")}`;
          check(name, [
            { node, role, isPickup, ends: isBehind ? second : ends },
            { node: router, role: FORWARDER, isPickup: isForwarderPickup, ends, second },
          ]);
        }
      }
    }
  }
});
