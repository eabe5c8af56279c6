/**
 * What a row says of the tuples and flags of its halves, and the halves from that: whatever is changed in one direction is
 * to be changed in the other.
 */
import { HALF_FLAG, NO_HALF } from "../../store/schema.ts";
import { BIT, FORWARDER, type Half, type NumberedTuple } from "../half/half-records.ts";
import { hasMark, MARK } from "../half/half-state.ts";
import { isEither, tupleOf } from "../half/tuple-index.ts";

/** The half that saw which end began, and of two that say it differently, the one that says that it did. */
export function orienting(key: Half, other: Half | undefined): Half {
  if (other === undefined || other.roleNumber === FORWARDER) return key;
  if (key.pickup !== other.pickup) return key.pickup ? other : key;
  return key.roleNumber === 0 ? key : other;
}

export function shownTuple(key: Half, other: Half | undefined): NumberedTuple {
  return tupleOf(orienting(key, other));
}

export function translatedTuple(key: Half, other: Half | undefined): NumberedTuple | undefined {
  const first = orienting(key, other);
  const second = first === key ? other : key;
  if (second === undefined) return first.second;
  if (isTranslated(second, first)) return tupleOf(second);
  return second.roleNumber === FORWARDER ? second.second : first.second;
}

/** Its own tuple is another one than the row shows, not only the other way round. */
function isTranslated(half: Half, first: Half): boolean {
  return !isEither(tupleOf(half), tupleOf(first));
}

/** `first`: the one of the two that has the tuple of the row. */
export function flagsOf(half: Half, first: Half): number {
  const { bits } = half;
  return (
    ((bits & BIT.pickup) === 0 ? 0 : HALF_FLAG.pickup) |
    ((bits & BIT.assured) === 0 ? 0 : HALF_FLAG.assured) |
    ((bits & BIT.inferred) === 0 ? 0 : HALF_FLAG.inferred) |
    ((bits & BIT.counted) === 0 ? 0 : HALF_FLAG.counted) |
    ((bits & BIT.closed) === 0 ? 0 : HALF_FLAG.closed) |
    ((bits & BIT.accounted) === 0 ? 0 : HALF_FLAG.accounted) |
    (hasMark(half, MARK.split) ? HALF_FLAG.split : 0) |
    (isTranslated(half, first) ? HALF_FLAG.translated : 0) |
    (hasMark(half, MARK.surplus) ? HALF_FLAG.surplus : 0)
  );
}

/** One row of `SELECT STORED_COLUMNS`, as JSON gives it. */
export type StoredRow = Readonly<Record<string, string | number>>;

interface OwnTuples {
  readonly own: NumberedTuple;
  readonly second?: NumberedTuple | undefined;
}

export function tuplesOf(
  row: StoredRow,
  side: "a" | "b",
  {
    shown,
    translated,
  }: { readonly shown: NumberedTuple; readonly translated: NumberedTuple | undefined },
): OwnTuples {
  if (!isPairOf(row)) return { own: shown, second: translated };
  const isOther = ["a_flags", "b_flags"].some(
    (name) => (Number(row[name]) & HALF_FLAG.translated) !== 0,
  );
  const isBridged = Number(row["b_role"]) === FORWARDER;
  if (side === orientingSide(row)) {
    return { own: shown, second: isOther || isBridged ? undefined : translated };
  }
  if (isOther && translated !== undefined) {
    return { own: translated, second: isBridged ? shown : undefined };
  }
  if (isBridged) return { own: shown, second: translated };
  return { own: row["a_role"] === row["b_role"] ? turned(shown) : shown };
}

function turned({
  initiatorIp,
  initiatorPort,
  responderIp,
  responderPort,
}: NumberedTuple): NumberedTuple {
  return {
    initiatorIp: responderIp,
    initiatorPort: responderPort,
    responderIp: initiatorIp,
    responderPort: initiatorPort,
  };
}

export function isPairOf(row: StoredRow): boolean {
  return Number(row["b_role"]) !== NO_HALF;
}

/** As `orienting`, from the row. */
function orientingSide(row: StoredRow): "a" | "b" {
  const number = (name: string) => Number(row[name]);
  if (number("b_role") === FORWARDER) return "a";
  const [a, b] = ["a_flags", "b_flags"].map((name) => number(name) & HALF_FLAG.pickup);
  if (a !== b) return a === 0 ? "a" : "b";
  return number("a_role") === 0 ? "a" : "b";
}

export function bitsOf(flags: number): number {
  return (
    ((flags & HALF_FLAG.pickup) === 0 ? 0 : BIT.pickup) |
    ((flags & HALF_FLAG.assured) === 0 ? 0 : BIT.assured) |
    ((flags & HALF_FLAG.inferred) === 0 ? 0 : BIT.inferred) |
    ((flags & HALF_FLAG.counted) === 0 ? 0 : BIT.counted) |
    ((flags & HALF_FLAG.closed) === 0 ? 0 : BIT.closed) |
    ((flags & HALF_FLAG.accounted) === 0 ? 0 : BIT.accounted)
  );
}
