/**
 * The readable part of an evidence file: a function of the signed data alone, so that whoever checks
 * the file makes it again and compares.
 */
import type { Entry } from "../format/entry.ts";
import { encodeLine } from "../format/entry-line.ts";
import { printable } from "../std/printable.ts";
import { DATA_MARK } from "./data-part.ts";
import type { CaseFacts, Facts, NodeFacts } from "./facts.ts";
import {
  findingSections,
  pairLines,
  type Section,
  sectionText,
  tableLines,
  type Watermark,
} from "./finding-text.ts";
import { lastState, type Placed } from "./half-facts.ts";
import { LISTED_ENTRIES_MAX } from "./limits.ts";
import type { Piece } from "./piece.ts";
import { runsOf, skippedNumbers } from "./runs.ts";
import { counted, timeText } from "./values.ts";

/** Up to the mark, its line included. */
export function readablePart(facts: Facts): string {
  return `${OPENING}\n${sectionText(sections(facts))}\n${DATA_MARK}\n`;
}

/** A file begins with them, of whatever version. */
export const FIRST_WORDS = "Tallystick evidence, version";

const OPENING = `${FIRST_WORDS} 1

Everything above the line "${DATA_MARK}" follows from what stands below it. To check both,
with nothing but this file and Node: tallystick verify FILE
How to read and check it by other means is in docs/evidence.md.
`;

function sections(facts: Facts): Section[] {
  const { finding } = facts;
  if (finding === undefined) {
    return [{ heading: "Finding", lines: ["The data does not hold it."] }];
  }
  const [main, ...supporting] = facts.cases;
  return [
    ...(main === undefined ? [] : caseSections(facts, main, facts.nodes.flatMap(watermarks))),
    ...supporting.flatMap((each, index) =>
      caseSections(facts, each, []).map(({ heading, lines }) => ({
        heading: `Contradiction ${index + 1}: ${heading}`,
        lines,
      })),
    ),
    { heading: "What people decided about it", lines: rulings(facts) },
    { heading: "Who signed", lines: signers(facts) },
    { heading: "Entry that the finding names", lines: namedEntry(facts) },
    { heading: "Entries of the halves", lines: halfEntries(facts) },
    {
      heading: "Opens with the same addresses and ports",
      lines: listed(
        facts,
        facts.cases.flatMap(({ opens }) => opens),
      ),
    },
    { heading: "What the nodes say of themselves", lines: listed(facts, facts.statements) },
    { heading: "Numbers that were never sent", lines: skipped(facts) },
    { heading: "Signed batches", lines: batches(facts) },
    { heading: "Not in this file", lines: lacking(facts) },
  ].filter(({ lines }) => lines.length > 0);
}

function caseSections(
  { nodes }: Facts,
  { finding, stood, halves }: CaseFacts,
  marks: readonly Watermark[],
): Section[] {
  const { entry } = finding;
  const node = nodes.find(({ id }) => id === entry.node);
  const named = node === undefined ? entry.node : `${node.name} (${node.id})`;
  const { state, expiresAtMs } = stood.standing;
  const view = {
    ...entry,
    kind: entry.finding,
    state,
    ruledUntilMs: expiresAtMs,
    node: named,
    concludedMs: entry.atMs,
  };
  const later = new Map(halves.map((half) => [half.claim.half, lastState(half)]));
  return findingSections(view, marks, later);
}

/** The furthest claim among the headers of the file: signed by the node itself. */
function watermarks({ chain, name }: NodeFacts): Watermark[] {
  if (chain.length === 0) return [];
  const completeToMs = Math.max(...chain.map(({ header }) => header.completeToMs));
  return [{ name, completeToMs, of: "the furthest that it signed in this file" }];
}

function signers({ data, serverId, nodes, finding, serverPieces }: Facts): string[] {
  const concluded = finding === undefined ? "" : `; the finding is entry ${placeText(finding)}`;
  const rows: [string, string][] = [
    ["server", `${serverId}, key ${data.serverKey.toString("base64url")}`],
    ["", `${counted(serverPieces.length, "batch", "batches")} of its own${concluded}`],
  ];
  for (const { id, name, enrolled, revoked } of nodes) {
    if (enrolled === undefined) {
      rows.push([name, `${id}; its enrolment is not in this file`]);
      continue;
    }
    rows.push([name, `${id}, key ${enrolled.entry.publicKey}`]);
    const when = timeText(enrolled.entry.atMs);
    rows.push(["", `enrolled ${when} by entry ${placeText(enrolled)} of the server`]);
    if (revoked !== undefined) {
      const { atMs, epoch, lastBatch } = revoked.entry;
      const last = `the last batch that counts is ${lastBatch} of epoch ${epoch}`;
      rows.push(["", `revoked ${timeText(atMs)} by entry ${placeText(revoked)}; ${last}`]);
    }
  }
  return pairLines(rows.map(([name, value]) => [printable(name), value]));
}

function rulings(facts: Facts): string[] {
  return facts.rulings.map(({ entry, ...place }) => {
    const { ruling, actor, reason, expiresAtMs, atMs } = entry;
    const until = expiresAtMs === undefined ? "" : ` until ${timeText(expiresAtMs)}`;
    const where = placeText({ entry, ...place });
    return printable(`${timeText(atMs)} ${ruling}${until} by ${actor}: ${reason}; entry ${where}`);
  });
}

function namedEntry(facts: Facts): string[] {
  return facts.named === undefined ? [] : listed(facts, [facts.named]);
}

function halfEntries(facts: Facts): string[] {
  const halves = facts.cases.flatMap((each) => each.halves);
  return halves.flatMap(({ claim, open, later }) => [
    printable(`${claim.name}, half ${claim.half}:`),
    ...[...(open === undefined ? [] : [open]), ...later].map(
      (placed) => `  entry ${placeText(placed)}: ${lineOf(placed)}`,
    ),
    ...(open === undefined ? ["  its open is not in this file"] : []),
  ]);
}

function listed(facts: Facts, entries: readonly Placed<Entry>[]): string[] {
  const names = new Map(facts.nodes.map(({ id, name }) => [id, name]));
  const lines = entries.slice(0, LISTED_ENTRIES_MAX).map((placed) => {
    const name = printable(names.get(placed.piece.nodeId) ?? placed.piece.nodeId);
    return `${name}, entry ${placeText(placed)}: ${lineOf(placed)}`;
  });
  const more = entries.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

/** `12 (epoch 0, batch 3)` */
function placeText({ seq, piece }: Placed<Entry>): string {
  return `${seq} (epoch ${piece.header.epoch}, batch ${piece.header.batchNo})`;
}

/** As it stands in its batch, but with the time itself instead of the difference to the line before. */
function lineOf({ entry, seq }: Placed<Entry>): string {
  return printable(encodeLine(entry, { seq, previousAtMs: 0 }));
}

function skipped(facts: Facts): string[] {
  const lines = facts.nodes.flatMap(({ name, chain }) =>
    skippedNumbers(chain).map(({ epoch, first, last }) =>
      printable(`${name}: entries ${first} to ${last} of epoch ${epoch}`),
    ),
  );
  const more = lines.length - LISTED_ENTRIES_MAX;
  return more > 0 ? [...lines.slice(0, LISTED_ENTRIES_MAX), `and ${more} more`] : lines;
}

function batches(facts: Facts): string[] {
  const names = new Map(facts.nodes.map(({ id, name }) => [id, name]));
  const rows = facts.data.pieces.map((piece) => {
    const { header, kind, hash } = piece;
    const receipt = facts.receipts.get(piece);
    return [
      piece.nodeId === facts.serverId ? "(server)" : names.get(piece.nodeId),
      kind,
      header.epoch,
      header.batchNo,
      header.entryCount,
      header.seqFirst,
      timeText(header.closedAtMs),
      header.completeToMs === 0 ? "no claim" : timeText(header.completeToMs),
      receipt?.index,
      receipt === undefined ? "" : timeText(receipt.receivedMs),
      hash,
    ];
  });
  return tableLines(BATCH_HEADINGS, rows);
}

const BATCH_HEADINGS = [
  "node",
  "what",
  "epoch",
  "batch",
  "entries",
  "first entry",
  "closed",
  "complete to",
  "in journal at",
  "received",
  "chain hash",
];

/** What the reader might look for and not find. */
function lacking(facts: Facts): string[] {
  return facts.nodes.flatMap((node) => {
    const name = printable(node.name);
    const headers = node.chain.filter(({ kind }) => kind === "header").length;
    const breaks = runsOf(node.chain).length - 1;
    return [
      ...(headers === 0
        ? []
        : [
            `${name}: the entries of ${counted(headers, "batch", "batches")} of which the header is here`,
          ]),
      ...(breaks < 1
        ? []
        : [
            `${name}: batches in ${counted(breaks, "place", "places")} between those that are here`,
          ]),
      ...(node.chain.length > 0 ? [] : [`${name}: any of its batches`]),
      ...node.kept
        .filter(isHeadOnly)
        .map(() => `${name}: the payload of a refused batch, which was not the signed one`),
    ];
  });
}

function isHeadOnly({ payload }: Piece): boolean {
  return payload === undefined;
}
