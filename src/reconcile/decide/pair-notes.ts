/**
 * What is learnt from a pair once, at the first tick that sees it: clocks and budgets measure what is now,
 * and counters come minutes later.
 */
import { TCP } from "../../format/protocol.ts";
import { type Company, isForwarded } from "./company.ts";
import { byBoth } from "../half/half-order.ts";
import { FORWARDER, type Half } from "../half/half-records.ts";
import { MARK, setMark } from "../half/half-state.ts";
import type { Sky } from "./judge.ts";
import type { NodeStream } from "../node/node-stream.ts";
import { inDirection } from "./pair.ts";
import { noteCompared } from "../node/trust-trend.ts";

const COMPARED = { compared: 1, unexplained: 0 } as const;

export class PairNotes {
  readonly #company: Company;
  /** By which address a responder knows an initiator that a translator is in front of. */
  #translated: [initiator: Half, responder: Half, address: string][] = [];

  constructor(company: Company) {
    this.#company = company;
  }

  note(key: Half, other: Half, sky: Sky): void {
    setMark(key, MARK.noted);
    const one = sky.streamOf(key);
    const two = sky.streamOf(other);
    if (key.protocol === TCP && !key.pickup && !other.pickup) {
      const residualMs = key.serverMs - other.serverMs;
      one.clock.pair(residualMs);
      two.clock.pair(-residualMs);
    }
    this.#noteTranslator(key, other, sky);
    noteOf(one, two, key.serverMs, sky);
    noteOf(two, one, key.serverMs, sky);
    this.#noteForwarders(key, other, sky);
  }

  /** Where there are more translators than are remembered of a node, which are the last must not depend on which came first. */
  settle(sky: Sky): void {
    for (const [initiator, responder, address] of this.#translated.splice(0).toSorted(byBoth)) {
      sky.streamOf(initiator).noteTranslator(address, responder.node.id);
    }
  }

  /** The responder knows the initiator by its own address; or, where a forwarder brought them together, by another. */
  #noteTranslator(key: Half, other: Half, sky: Sky): void {
    if (key.roleNumber === FORWARDER || other.roleNumber === FORWARDER) return;
    const [initiator, responder] = inDirection(key, other);
    if (initiator.roleNumber === responder.roleNumber) return;
    if (initiator.initiatorIpNumber === responder.initiatorIpNumber) {
      sky.streamOf(initiator).memory.isMetDirectly = true;
      return;
    }
    this.#translated.push([initiator.copy(), responder.copy(), responder.initiatorIp]);
  }

  /** What a late translator excuses is measured against what it reports in time. */
  #noteForwarders(key: Half, other: Half, sky: Sky): void {
    if (!isForwarded(key, other)) return;
    for (const forwarder of this.#company.joining(key, other) ?? []) {
      const stream = sky.streamOf(forwarder);
      stream.changed = true;
      stream.budget.countCompared(stream.isOverloadedAtServerMs(key.serverMs));
    }
  }
}

function noteOf(node: NodeStream, peer: NodeStream, atMs: number, sky: Sky): void {
  node.changed = true;
  noteCompared(node.memory.trend, sky.nowMs, COMPARED);
  const { budget } = node;
  const isOverload = node.isOverloadedAtServerMs(atMs);
  if (budget.isArmed) budget.compared({ peer: peer.id, atMs, isOverload });
  else budget.countCompared(isOverload);
}
