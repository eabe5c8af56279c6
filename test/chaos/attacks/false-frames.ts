/** Frames that no honest agent sends: old ones, others at the same place, ones with another key. */
import { encodeFrame, encodeHeader, signHeader } from "../../../src/format/batch.ts";
import { domainHash, privateKeyFromSeed } from "../../../src/format/identity.ts";
import { KIND } from "../finding-names.ts";
import type { Sealed } from "../mesh/mesh-node.ts";
import type { Place } from "../mesh/topology.ts";
import type { Attack, Hand } from "./attack.ts";

/** Batches back: the last one again is a retry, and harmless. */
const REPLAY_BACK = 3;
const UNDER_WAY_MS = 120;

/** Calls once, with the first batch after some time, when it has been sent. */
function once(
  hand: Hand,
  place: Place,
  act: (sealed: Sealed, earlier: readonly Sealed[], atMs: number) => void,
): void {
  const fromMs = hand.someTimeMs();
  const earlier: Sealed[] = [];
  let done = false;
  hand.mesh.tampers.set(place.node.index, (sealed, atMs) => {
    if (!done && atMs >= fromMs && earlier.length >= REPLAY_BACK) {
      done = true;
      // It arrives before this moment, or with some later one: either way out of its turn.
      hand.mesh.at(Math.ceil(atMs) + 8_000, () => act(sealed, earlier, hand.mesh.nowMs));
    }
    earlier.push(sealed);
    if (earlier.length > REPLAY_BACK) earlier.shift();
    return [sealed];
  });
}

function deliver(
  hand: Hand,
  frame: Uint8Array,
  told: string,
  doers?: readonly string[],
): (place: Place) => void {
  return (place) => {
    const atMs = hand.mesh.nowMs + UNDER_WAY_MS;
    hand.mesh.post.deliver({ frame, atMs, isHostile: true });
    hand.enter(
      {
        told: `${told} ${place.node.name}`,
        fromMs: atMs,
        ...(doers === undefined ? {} : { doers }),
      },
      { atMs },
    );
  };
}

export const replayBatch: Attack = {
  name: "replay-batch",
  what: "Somebody who has copied a node's traffic sends an old batch of it again.",
  detection: { finds: [KIND.replayed], knowable: "the frame arrives" },
  begin(hand) {
    for (const doer of hand.doers) {
      once(hand, doer, (_sealed, earlier) => {
        const [old] = earlier;
        if (old !== undefined) deliver(hand, old.frame, "replayed a batch of", [])(doer);
      });
    }
  },
};

export const forkChain: Attack = {
  name: "fork-chain",
  what: "A node's key signs another batch at a place of its chain that is taken.",
  detection: { finds: [KIND.fork], knowable: "the frame arrives" },
  begin(hand) {
    for (const doer of hand.doers) {
      once(hand, doer, ({ header }, _earlier, atMs) => {
        const { node } = doer;
        const closedAtMs = node.clockMs(atMs);
        const times = { firstAtMs: closedAtMs, lastAtMs: closedAtMs, closedAtMs };
        const { epoch, batchNo, prevHash, seqFirst } = header;
        const place = { epoch, batchNo, prevHash, seqFirst };
        const twin = node.sign(new Uint8Array(0), atMs, { ...place, ...times });
        deliver(hand, twin.frame, "forked the chain of")(doer);
      });
    }
  },
};

export const forgeBatch: Attack = {
  name: "forge-batch",
  what: "Somebody without a node's key sends a batch in its name.",
  detection: { finds: [KIND.forged], knowable: "the frame arrives" },
  begin(hand) {
    for (const doer of hand.doers) {
      once(hand, doer, ({ header }) => {
        const seed = domainHash("tallystick/test-seed\n", Buffer.from("forger"));
        const headerBytes = encodeHeader({ ...header, batchNo: header.batchNo + 1 });
        const signature = signHeader(headerBytes, privateKeyFromSeed(seed));
        const payload = new Uint8Array(header.payloadBytes);
        const frame = encodeFrame(headerBytes, signature, payload);
        deliver(hand, frame, "forged a batch of", [])(doer);
      });
    }
  },
};
