/** Findings about a node: what it admitted, what its chain shows, and what only the server saw. */
import type { EntryKind } from "../../format/entry.ts";
import { isMembers, isNatural, type Members } from "../claims.ts";
import { isContradiction, witnessesOf } from "../cases.ts";
import type { Facts } from "../facts.ts";
import { type Piece, pieceName } from "../piece.ts";
import { wholeFrom } from "../runs.ts";
import { counted, timeText } from "../values.ts";
import { type Check, fails, holds, open } from "./check.ts";

type Look = (facts: Facts, evidence: Members, node: string) => Check[];

const LOOKS: Readonly<Record<string, Look>> = {
  "lost-spool": statement("gap", ["cause", "count", "fromMs", "toMs", "seqs"]),
  "long-restart": statement("gap", ["cause", "count", "fromMs", "toMs", "seqs"]),
  rollback: statement("rollback", ["oldEpoch", "oldBatch", "oldHead", "machineId", "bootId"]),
  clone: statement("rollback", ["oldEpoch", "oldBatch", "oldHead", "machineId", "bootId"]),
  "server-rollback": statement("rollback", [
    "oldEpoch",
    "oldBatch",
    "oldHead",
    "machineId",
    "bootId",
  ]),
  "opted-out": statement("opt_out", ["atMs"]),
  "undeclared-hole": hole,
  silent,
  "contested-address": contestedAddress,
  fork,
  replayed,
  forged: () => [SEEN_BY_SERVER],
  unknown_node: () => [SEEN_BY_SERVER],
  revoked_key_used: revokedKeyUsed,
  accused,
  "back-dated": backDated,
  "exceeds-interfaces": exceedsInterfaces,
  "missing-half": manyMismatches,
  "counters-differ": manyMismatches,
  "gap-abuse": () => [
    open("counts", "how many connections the node's losses excused: the server counted them"),
  ],
  "clock-step": () => [
    open("step", "how the node's clock moved: the server compared it with when batches came"),
  ],
};

const SEEN_BY_SERVER = open(
  "attempt",
  "that somebody sent it: only the server saw what it refused, and its signed finding is its word",
);

export function checkNodeFinding(facts: Facts): Check[] {
  const { finding } = facts;
  if (finding === undefined) return [];
  const { evidence, node, finding: kind } = finding.entry;
  return Object.hasOwn(LOOKS, kind) ? (LOOKS[kind]?.(facts, evidence, node) ?? []) : [];
}

/** The node said it itself: an entry of this kind that has these values. */
function statement(kind: EntryKind, names: readonly string[]): Look {
  return ({ statements }, evidence, node) => {
    const subject = "admission";
    const own = statements.filter(
      ({ entry, piece }) => entry.kind === kind && piece.nodeId === node,
    );
    const found = own.find(({ entry }) => {
      const said = entry as unknown as Members;
      return names.every((name) => same(said[name] ?? null, evidence[name] ?? null));
    });
    if (found !== undefined) {
      const place = `entry ${found.seq} of ${pieceName(found.piece)}`;
      return [holds(subject, `the node signed it: ${kind}, ${place}`)];
    }
    if (own.length > 0)
      return [fails(subject, `no ${kind} of the node says what the finding says`)];
    return [open(subject, `the node's ${kind} entry is not in this file`)];
  };
}

/** One contradiction for each witness, each checked like a finding of its own. */
function accused(facts: Facts, _evidence: Members, node: string): Check[] {
  if (facts.finding === undefined) return [];
  const checks = witnessesOf(facts.finding.entry).map((witness) => {
    const subject = `${facts.nodes.find(({ id }) => id === witness)?.name ?? witness}: witness`;
    const at = facts.cases.findIndex(
      (each, index) => index > 0 && isContradiction(each, node, witness),
    );
    return at < 0
      ? open(subject, "no open finding on it and the accused is in this file")
      : holds(subject, `contradiction ${at} in this file`);
  });
  const what = "that the witnesses are independent of each other: whose machines they are";
  return [...checks, open("independence", what)];
}

/** An open of a time up to which the node had signed, in an earlier batch, that it had told everything. */
function backDated(
  { named, nodes }: Facts,
  { openedMs, claimedMs }: Members,
  node: string,
): Check[] {
  if (named === undefined)
    return [open("entry", "the entry that the finding names is not in this file")];
  const { entry, seq, piece } = named;
  const where = `entry ${seq} of ${pieceName(piece)}`;
  const isIt = piece.nodeId === node && entry.kind === "open" && entry.atMs === openedMs;
  if (!isIt) return [fails("entry", `${where} is no open of that time`)];
  const chain = nodes.find(({ id }) => id === node)?.chain ?? [];
  const earlier = chain.slice(0, chain.indexOf(piece));
  const claim = earlier.findLast(({ header }) => header.completeToMs === claimedMs);
  const entryCheck = holds("entry", `${where} is of ${timeText(entry.atMs)}`);
  if (claim === undefined) {
    return [
      entryCheck,
      open("claim", "the batch in which the node claimed completeness is not in this file"),
    ];
  }
  const said = `${pieceName(claim)} had said that all was told up to ${timeText(claim.header.completeToMs)}`;
  return [
    entryCheck,
    claim.header.completeToMs >= entry.atMs
      ? holds("claim", said)
      : fails("claim", `${said}, which is before`),
  ];
}

/** The two readings are the node's own; what its connections received between them takes all of its entries. */
function exceedsInterfaces(facts: Facts, evidence: Members, node: string): Check[] {
  const { first, journalIndex, seq, carriedBytes } = evidence;
  const readingAt = (index: unknown, number: unknown) =>
    facts.statements.flatMap(({ entry, seq: own, piece }) => {
      const isIt =
        piece.nodeId === node &&
        own === number &&
        facts.receipts.get(piece)?.index === index &&
        entry.kind === "totals";
      return isIt ? [entry.interfaces] : [];
    })[0];
  const before = isMembers(first) ? readingAt(first["index"], first["seq"]) : undefined;
  const after = readingAt(journalIndex, seq);
  const sum = open("connections", "what the node's connections received: the server added it up");
  if (before === undefined || after === undefined) {
    return [open("readings", "the node's two readings are not in this file"), sum];
  }
  const bytesBefore = new Map(before.map((one) => [one.index, one.receivedBytes]));
  const carried = after.reduce(
    (total, one) => total + one.receivedBytes - (bytesBefore.get(one.index) ?? 0),
    0,
  );
  const said = `by the node's own readings its interfaces received ${carried} B between them`;
  return [carried === carriedBytes ? holds("readings", said) : fails("readings", said), sum];
}

/** More of a kind than are told one by one are a count. */
function manyMismatches({ cases }: Facts): Check[] {
  if (cases[0] === undefined || cases[0].claims.halves.length > 0) return [];
  const what =
    "how many there were: the server counted them; the first of that hour are findings of their own";
  return [open("count", what)];
}

function hole(facts: Facts, evidence: Members, node: string): Check[] {
  const { epoch, first, last } = evidence;
  const chain = facts.nodes.find(({ id }) => id === node)?.chain ?? [];
  const at = chain.findIndex(
    ({ header }) => header.epoch === epoch && header.seqFirst === Number(last) + 1,
  );
  const [before, after] = [chain[at - 1], chain[at]];
  if (before === undefined || after === undefined) {
    return [open("hole", "the batches at its two edges are not in this file")];
  }
  const nextSeq = before.header.seqFirst + before.header.entryCount;
  const isNext = after.header.batchNo === before.header.batchNo + 1;
  if (before.header.epoch !== epoch || !isNext || nextSeq !== first) {
    return [fails("hole", "the numbers of the batches at its edges do not leave this hole")];
  }
  const where = `${pieceName(before)} ends before ${nextSeq}, the next begins at ${Number(last) + 1}`;
  return [holds("hole", where), undeclared(facts, evidence, after)];
}

/** No gap in the batches from the hole to the finding names what the finding calls unexplained. */
function undeclared(facts: Facts, evidence: Members, after: Piece): Check {
  const { first, last, unexplained } = evidence;
  const listed: unknown[] = Array.isArray(unexplained) ? unexplained : [[first, last]];
  const ranges = listed.filter(isRange);
  const gaps = facts.statements.flatMap(({ entry, piece }) => {
    const isOwn = piece.nodeId === after.nodeId && piece.header.epoch === after.header.epoch;
    return entry.kind === "gap" && isOwn && entry.seqs !== undefined ? [entry.seqs] : [];
  });
  const declared = gaps.find(([from, to]) =>
    ranges.some((range) => from <= range[1] && to >= range[0]),
  );
  if (declared !== undefined && facts.finding?.entry.state === "open") {
    return fails(
      "gap",
      `a gap names entries ${declared.join(" to ")}, which the finding calls unexplained`,
    );
  }
  const chain = facts.nodes.find(({ id }) => id === after.nodeId)?.chain ?? [];
  const whole = wholeFrom(chain, after);
  const toMs = Math.max(...whole.map(({ header }) => header.completeToMs));
  const looked = counted(whole.length, "whole batch", "whole batches");
  return holds(
    "gap",
    `${looked} from there on, complete to ${timeText(toMs)}, without a gap that names them`,
  );
}

function silent(facts: Facts, { lastReceivedMs }: Members, node: string): Check[] {
  const chain = facts.nodes.find(({ id }) => id === node)?.chain ?? [];
  const last = chain.find((piece) => facts.receipts.get(piece)?.receivedMs === lastReceivedMs);
  return [
    last === undefined
      ? open("last batch", "it is not in this file")
      : holds(
          "last batch",
          `the server signed that ${pieceName(last)} came ${timeText(Number(lastReceivedMs))}`,
        ),
    open(
      "silence",
      "that nothing came after it: receipts that the node holds would show otherwise",
    ),
  ];
}

function contestedAddress(facts: Facts, evidence: Members): Check[] {
  const { network, address, nodes } = evidence;
  if (!Array.isArray(nodes)) return [];
  return nodes.map(String).map((id) => {
    const subject = `${facts.nodes.find((node) => node.id === id)?.name ?? id}: claim`;
    const claim = facts.statements.find(
      ({ entry, piece }) =>
        entry.kind === "addresses" &&
        piece.nodeId === id &&
        Object.hasOwn(entry.networks, String(network)) &&
        entry.networks[String(network)]?.includes(String(address)) === true,
    );
    if (claim === undefined)
      return open(subject, `its claim to ${String(address)} is not in this file`);
    const place = `entry ${claim.seq} of ${pieceName(claim.piece)}`;
    return holds(subject, `the node signed that ${String(address)} is its own: ${place}`);
  });
}

function fork({ nodes }: Facts): Check[] {
  const pairs = nodes.flatMap(({ kept, chain }) =>
    kept.map((twin) => ({ twin, genuine: chain.find((piece) => isTwin(piece, twin)) })),
  );
  if (pairs.length === 0) return [open("fork", "the second batch was not kept")];
  return pairs.map(({ twin, genuine }) => {
    if (genuine === undefined)
      return open("fork", `${pieceName(twin)} as accepted is not in this file`);
    return holds(
      "fork",
      `the key signed two different batches as ${pieceName(twin)}: ${genuine.hash} and ${twin.hash}`,
    );
  });
}

function isTwin({ header, hash }: Piece, twin: Piece): boolean {
  const { epoch, batchNo } = twin.header;
  return header.epoch === epoch && header.batchNo === batchNo && hash !== twin.hash;
}

function replayed(facts: Facts, evidence: Members): Check[] {
  const { samples } = evidence;
  const hashes = new Set(
    (Array.isArray(samples) ? samples : []).filter(isMembers).map(({ hash }) => hash),
  );
  const genuine = facts.nodes.flatMap(({ chain }) => chain).filter(({ hash }) => hashes.has(hash));
  const check =
    genuine.length === 0
      ? open("batch", "the batch that was sent again is not in this file")
      : holds(
          "batch",
          `${genuine.map(pieceName).join(", ")}: what was sent again had been accepted before`,
        );
  return [check, SEEN_BY_SERVER];
}

function revokedKeyUsed(facts: Facts, _evidence: Members, node: string): Check[] {
  const revoked = facts.nodes.find(({ id }) => id === node)?.revoked;
  const check =
    revoked === undefined
      ? open("revocation", "it is not in this file")
      : holds("revocation", `the server signed it ${timeText(revoked.entry.atMs)}`);
  return [check, SEEN_BY_SERVER];
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isRange(value: unknown): value is [first: number, last: number] {
  return Array.isArray(value) && value.length === 2 && value.every(isNatural);
}
