/**
 * A connection: two halves that fit, or one and a verdict. It has no memory of its own: its key half
 * names it and carries its verdict. The key is the half at the numerically lower address, once there
 * are two.
 */
import { compareAddresses } from "../../format/address.ts";
import { CELL, FORWARDER, Half } from "./half-records.ts";
import { clearMark, hasMark, MARK, setCounters, setMark, setVerdict } from "./half-state.ts";

/** The second half of a pair; undefined for a half that stands alone. */
export function otherOf(half: Half): Half | undefined {
  return half.isPaired ? new Half(half.records, half.names, half.partner) : undefined;
}

/** The half that names the connection of `half`. */
export function keyOf(half: Half): Half {
  return hasMark(half, MARK.second) ? new Half(half.records, half.names, half.partner) : half;
}

/** Makes two halves one connection. Returns its key. */
export function join(a: Half, b: Half): Half {
  const { records } = a;
  records.setCell(a.slot, CELL.partner, b.slot + 1);
  records.setCell(b.slot, CELL.partner, a.slot + 1);
  const [key, second] = isKey(a, b) ? [a, b] : [b, a];
  clearMark(key, MARK.second);
  setMark(second, MARK.second);
  setVerdict(key, "matched");
  setCounters(key, "pending");
  return key;
}

/** Makes two halves stand alone again. */
export function part(a: Half, b: Half): void {
  for (const half of [a, b]) {
    half.records.setCell(half.slot, CELL.partner, 0);
    clearMark(half, MARK.second | MARK.noted);
    setVerdict(half, "pending");
    setCounters(half, "pending");
  }
}

/** Nearly always IPv4, which a number orders without its text. */
function compareOwn(a: Half, b: Half): number {
  const order = a.names.ipv4Of(a.ownIpNumber) - a.names.ipv4Of(b.ownIpNumber);
  return Number.isNaN(order) ? compareAddresses(a.ownIp ?? "::", b.ownIp ?? "::") : order;
}

/** By address; two nodes that claim one address are told apart by id, so that the choice never depends on which came first. */
function isKey(candidate: Half, against: Half): boolean {
  // A forwarder stands for an end that nobody watches, under an address of its own.
  if (candidate.roleNumber === FORWARDER || against.roleNumber === FORWARDER) {
    return against.roleNumber === FORWARDER;
  }
  const order = compareOwn(candidate, against);
  return order === 0 ? candidate.node.id < against.node.id : order < 0;
}
