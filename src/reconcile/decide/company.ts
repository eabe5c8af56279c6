/**
 * What is recorded of a connection beside the halves of its two ends: by forwarders between them, and as parts of a
 * session that one end divided. These halves wait for each other.
 */
import { UDP } from "../../format/protocol.ts";
import { inOrder } from "../half/half-order.ts";
import {
  FORWARDER,
  type Half,
  type HalfRecords,
  type Names,
  windowsOn,
} from "../half/half-records.ts";
import { hasMark, MARK } from "../half/half-state.ts";
import type { Matching } from "../match/matching.ts";
import { isPartOf } from "./pair.ts";
import { haveOneTuple } from "../half/tuple-index.ts";

const NOBODY: readonly Half[] = [];

interface CompanyParts {
  readonly records: HalfRecords;
  readonly names: Names;
  readonly matching: Matching;
}

export class Company {
  readonly #parts: CompanyParts;

  constructor(parts: CompanyParts) {
    this.#parts = parts;
  }

  /** The halves beside a pair, in order. */
  of(key: Half, other: Half): readonly Half[] {
    if (key.protocol !== UDP && !isForwarded(key, other)) return NOBODY;
    return this.#mates(key)
      .filter((half) => half.slot !== other.slot && !half.isPaired)
      .toSorted(inOrder);
  }

  /**
   * The halves of forwarders by whose word alone the two are one connection; undefined where the two say so
   * themselves. There may be none left.
   */
  joining(key: Half, other: Half): readonly Half[] | undefined {
    if (haveOneTuple(key, other)) return undefined;
    const mates = [...this.#mates(key), ...this.#mates(other)];
    return mates.filter((half) => half.roleNumber === FORWARDER && half.second !== undefined);
  }

  /** Whether an end of the connection that this forwarder's half, or this part, belongs to is not settled. */
  isInCompany(half: Half): boolean {
    const isForwarder = half.roleNumber === FORWARDER;
    if (!isForwarder && half.protocol !== UDP) return false;
    return this.#mates(half).some((mate) =>
      isForwarder
        ? mate.isPaired || mate.roleNumber !== FORWARDER
        : mate.isPaired && isPartOf(half, mate),
    );
  }

  /** Forwarders that waited for an end, on its side of a translation, and may go once it is settled. */
  forwardersBeside(half: Half): readonly Half[] {
    if (half.roleNumber === FORWARDER || !hasMark(half, MARK.forwarded)) return NOBODY;
    return this.#mates(half).filter((mate) => mate.roleNumber === FORWARDER);
  }

  #mates(half: Half): Half[] {
    return windowsOn(this.#parts, this.#parts.matching.mates(half));
  }
}

/** A forwarder has a record of it too. */
export function isForwarded(key: Half, other: Half): boolean {
  return hasMark(key, MARK.forwarded) || hasMark(other, MARK.forwarded);
}
