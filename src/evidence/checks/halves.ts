/** What the finding says of each half, against the half's own signed entries. */
import { halfId } from "../../format/half.ts";
import { UDP } from "../../format/protocol.ts";
import { tupleText } from "../../format/tuple-text.ts";
import type { CaseFacts, Facts } from "../facts.ts";
import { COUNTER_NAMES, type DifferenceClaim, type HalfClaim } from "../claims.ts";
import { claimedState, type HalfFacts, lastState, payloadText } from "../half-facts.ts";
import { pieceName } from "../piece.ts";
import { counted } from "../values.ts";
import { type Check, fails, holds, open, unless } from "./check.ts";

export function checkHalves(facts: Facts, each: CaseFacts): Check[] {
  return [
    ...each.halves.flatMap((half) => [openCheck(facts, half), ...laterCheck(half)]),
    ...connection(each),
    ...difference(each),
  ];
}

function openCheck(facts: Facts, { claim, open: found }: HalfFacts): Check {
  const subject = `${claim.name}: half`;
  const id = halfId(Buffer.from(claim.node, "hex"), claim.epoch, claim.seq).toString("hex");
  if (id !== claim.half) return fails(subject, "its id is not the hash of node, epoch and number");
  if (found === undefined) return open(subject, "the batch with its open is not in this file");
  const { entry, piece } = found;
  const index = facts.receipts.get(piece)?.index;
  const claimedIndex = claim.members["journalIndex"];
  const reasons = [
    ...(tupleText(entry.tuple) === tupleText(claim.tuple) ? [] : ["other addresses or ports"]),
    ...(entry.role === claim.role ? [] : ["another role"]),
    ...(entry.atMs === claim.openedMs ? [] : ["another time"]),
    ...(claimedIndex === undefined || claimedIndex === index
      ? []
      : ["another place in the journal"]),
  ].map((what) => `entry ${claim.seq} of ${pieceName(piece)} has ${what}`);
  const detail = `entry ${claim.seq} of ${pieceName(piece)} opens it as ${claim.role}, as the finding says`;
  return unless(subject, reasons, detail);
}

/** End, state and counters: true after some of its entries, or contradicted by them. */
function laterCheck(half: HalfFacts): Check[] {
  if (half.open === undefined) return [];
  const { claim, later } = half;
  const subject = `${claim.name}: end and counters`;
  if (claimedState(half) !== undefined) {
    const said = `${claim.state === "" ? "no state yet" : claim.state}, ${countersText(claim)}`;
    return [
      holds(subject, `${said}: says ${counted(later.length, "later entry", "later entries")}`),
    ];
  }
  const last = lastState(half);
  const otherEnd =
    last.durationMs !== null && claim.durationMs !== null && last.durationMs !== claim.durationMs;
  const otherCounts =
    last.accounted && countersText(claim) !== countersText({ counters: last.counters });
  const otherPayload =
    last.payload !== null &&
    claim.payload !== null &&
    payloadText(last.payload) !== payloadText(claim.payload);
  if (otherEnd || otherCounts || otherPayload) {
    return [fails(subject, "the half's own entries say something else than the finding")];
  }
  return [open(subject, "the entries that say so are not in this file")];
}

function countersText({ counters }: Pick<HalfClaim, "counters">): string {
  if (counters === null) return "no counters yet";
  return COUNTER_NAMES.map((name) => `${name} ${counters[name]}`).join(", ");
}

function connection({ finding, claims }: CaseFacts): Check[] {
  const id = finding.entry.connection;
  if (claims.halves.length === 0) return [];
  const isOne = claims.halves.some(({ half }) => half === id);
  return [
    isOne
      ? holds("connection", `${id} names one of its halves`)
      : fails("connection", "the finding is about another connection than its halves"),
  ];
}

/** The arithmetic alone: how much loss explains is the server's rule, and in docs/findings.md. */
function difference({ claims, halves }: CaseFacts): Check[] {
  const { difference: found } = claims;
  if (found === undefined) return [];
  const subject = "difference";
  const { sentBy, sentBytes, receivedBytes, allowedBytes, impossible } = found;
  const bytes = halves.map((half) => signedBytes(half, found));
  if (bytes.includes(undefined)) {
    return [open(subject, "the entries in which an end counted are not in this file")];
  }
  const sender = halves.findIndex(({ claim }) => claim.role === sentBy);
  const isOther =
    !bytes.includes(sentBytes) ||
    !bytes.includes(receivedBytes) ||
    (sender >= 0 && bytes[sender] !== sentBytes);
  // The ends of a UDP session may divide one exchange into sessions differently.
  if (isOther && halves.every(({ claim }) => claim.tuple.protocol === UDP)) {
    const what =
      "what the ends counted in further parts of the session, which the finding does not list";
    return [open(subject, what)];
  }
  const reasons = [
    ...(isOther ? [`the two ends counted ${bytes.join(" B and ")} B`] : []),
    ...(Math.abs(sentBytes - receivedBytes) > allowedBytes ? [] : ["it is within its allowance"]),
    ...(impossible === receivedBytes > sentBytes
      ? []
      : ["what is called impossible is the wrong way round"]),
  ];
  const detail = `${sentBytes} B and ${receivedBytes} B are what the two ends counted, further apart than ${allowedBytes} B`;
  return [unless(subject, reasons, detail)];
}

/** In the direction that the finding is about, by the half's own entries. */
function signedBytes(half: HalfFacts, { sentBy, exact }: DifferenceClaim): number | undefined {
  const known = claimedState(half) ?? lastState(half);
  const count = exact === true ? known.payload : known.counters;
  return sentBy === "initiator" ? count?.initiatorBytes : count?.responderBytes;
}
