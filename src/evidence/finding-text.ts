/**
 * One finding for people: what was found, the connection, both ledgers side by side, the difference,
 * the watermarks, both possible causes, what to do. The first half of an evidence file, and what
 * `tallystick findings --id` shows.
 */
import { tupleText } from "../format/tuple-text.ts";
import { printable, printableJson } from "../std/printable.ts";
import { type Cell, formatTable } from "../std/table.ts";
import { type Claims, claimsOf, type HalfClaim, type Members } from "./claims.ts";
import type { HalfState } from "./half-facts.ts";
import { bytesText, signed, spanText, timeText } from "./values.ts";

export interface FindingView {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  /** When what somebody decided about it ends; 0: never, or nobody did. */
  readonly ruledUntilMs: number;
  readonly title: string;
  /** Name of the node that it concerns, or empty. */
  readonly node: string;
  /** Hex, or empty. */
  readonly connection: string;
  readonly concludedMs: number;
  readonly evidence: Members;
}

/** Up to which time a node's stream is complete, as somebody says. */
export interface Watermark {
  readonly name: string;
  readonly completeToMs: number;
  /** Who says so, and of when. */
  readonly of: string;
}

/** What a half's own entries said of it after the finding was concluded. */
export type Later = Pick<HalfState, "state" | "durationMs" | "counters">;

/** By the half's id; none of what nobody asked the entries about. */
export type LaterByHalf = ReadonlyMap<string, Later>;

export interface Section {
  readonly heading: string;
  readonly lines: readonly string[];
}

/** Sections without lines are left out. */
export function findingSections(
  view: FindingView,
  watermarks: readonly Watermark[],
  later: LaterByHalf = new Map(),
): Section[] {
  const claims = claimsOf(view.evidence);
  return [
    { heading: "Finding", lines: head(view) },
    { heading: "Connection", lines: connection(view, claims) },
    { heading: "Both ledgers", lines: ledgers(claims, later) },
    { heading: "Difference", lines: difference(claims) },
    { heading: "Watermarks", lines: watermarkLines(claims, watermarks) },
    { heading: "Possible causes", lines: claims.causes.map(printable) },
    { heading: "What to do", lines: claims.todo === "" ? [] : [printable(claims.todo)] },
    { heading: "What else the finding says", lines: rest(claims.rest) },
  ].filter(({ lines }) => lines.length > 0);
}

/** Headings at the margin, what belongs to them two spaces in: nothing from outside stands at the margin. */
export function sectionText(sections: readonly Section[]): string {
  return sections
    .map(({ heading, lines }) => `${heading}\n${lines.map(indented).join("")}`)
    .join("\n");
}

function indented(line: string): string {
  return line === "" ? "\n" : `  ${line}\n`;
}

/** The lines of a table. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): string[] {
  return formatTable(headings, rows).trimEnd().split("\n");
}

/** Names and values, the values lined up. */
export function pairLines(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`.trimEnd());
}

function head(view: FindingView): string[] {
  return [
    printable(view.title),
    "",
    ...pairLines([
      ["kind", view.kind],
      ["severity", view.severity],
      ["state", stateText(view)],
      ["concerns", view.node === "" ? "nobody in particular" : view.node],
      ["concluded", timeText(view.concludedMs)],
      ["id", view.id],
    ]),
  ];
}

/** `excused until …`: whether that time has come is for the reader to know. */
function stateText({ state, ruledUntilMs }: FindingView): string {
  return ruledUntilMs === 0 ? state : `${state} until ${timeText(ruledUntilMs)}`;
}

function connection(view: FindingView, { halves }: Claims): string[] {
  const [half] = halves;
  if (half === undefined) return [];
  return pairLines([
    ["what", tupleText(half.tuple)],
    ["began", `${timeText(half.openedMs)}, by ${half.name}'s clock`],
    ["id", view.connection === "" ? half.half : view.connection],
  ]);
}

/** One column for each end, and how they differ where both are there. */
function ledgers({ halves, absence }: Claims, later: LaterByHalf): string[] {
  if (halves.length === 0) return [];
  const [left, right] = halves;
  const names = halves.map(({ name }) => name);
  const headings = ["", ...names, ...(absence === undefined ? [] : [absence.name])];
  const isPair = left !== undefined && right !== undefined && halves.length === 2;
  const hasPayload = halves.some(({ payload }) => payload !== null);
  const shown = hasPayload ? [...LEDGER_ROWS, ...PAYLOAD_ROWS] : LEDGER_ROWS;
  const rows = shown.map((row, index) => {
    const none = absence === undefined ? [] : [index === 0 ? "no entry" : ""];
    const apart = isPair && row.number !== undefined ? [apartText(row, left, right)] : [];
    return [
      row.name,
      ...halves.map((half) => row.text(half, later.get(half.half))),
      ...none,
      ...apart,
    ];
  });
  return tableLines(isPair ? [...headings, "difference"] : headings, rows);
}

interface LedgerRow {
  readonly name: string;
  text(half: HalfClaim, later?: Later): string;
  number?(half: HalfClaim): number | null;
  readonly unit?: "ms";
}

const LEDGER_ROWS: readonly LedgerRow[] = [
  { name: "entry", text: ({ seq, epoch }) => `${seq} of epoch ${epoch}` },
  { name: "half", text: ({ half }) => half },
  { name: "node", text: ({ node }) => node },
  { name: "role", text: ({ role }) => role },
  { name: "what", text: ({ tuple }) => tupleText(tuple) },
  {
    name: "opened",
    text: ({ openedMs }) => timeText(openedMs),
    number: ({ openedMs }) => openedMs,
    unit: "ms",
  },
  {
    name: "lasted",
    text: ({ durationMs }, later) =>
      durationMs === null
        ? toldLater("no end heard of", later?.durationMs, spanText)
        : spanText(durationMs),
    number: ({ durationMs }) => durationMs,
    unit: "ms",
  },
  { name: "state", text: stateOfHalf },
  counterRow("initiator sent", "initiatorBytes"),
  counterRow("responder sent", "responderBytes"),
  counterRow("initiator packets", "initiatorPackets"),
  counterRow("responder packets", "responderPackets"),
];

const PAYLOAD_ROWS: readonly LedgerRow[] = [
  payloadRow("initiator's data", "initiatorBytes"),
  payloadRow("responder's data", "responderBytes"),
];

function payloadRow(name: string, of: "initiatorBytes" | "responderBytes"): LedgerRow {
  return {
    name,
    text: ({ payload }) => (payload === null ? "not counted" : bytesText(payload[of])),
    number: ({ payload }) => payload?.[of] ?? null,
  };
}

function counterRow(name: string, counter: keyof NonNullable<HalfClaim["counters"]>): LedgerRow {
  const isBytes = counter.endsWith("Bytes");
  const text = (count: number): string => (isBytes ? bytesText(count) : String(count));
  return {
    name,
    text: ({ counters }, later) =>
      counters === null
        ? toldLater("not yet, when it was concluded", later?.counters?.[counter], text)
        : text(counters[counter]),
    number: ({ counters }) => counters?.[counter] ?? null,
  };
}

function stateOfHalf({ state }: HalfClaim, later?: Later): string {
  if (state !== "") return state;
  return toldLater("none heard of", later?.state === "" ? undefined : later?.state, String);
}

/** What the finding could not know yet: final counters come minutes after a connection's end. */
function toldLater<Value>(
  untold: string,
  value: Value | null | undefined,
  text: (value: Value) => string,
): string {
  return value === undefined || value === null ? untold : `${text(value)}, told later`;
}

function apartText(row: LedgerRow, left: HalfClaim, right: HalfClaim): string {
  const [a, b] = [row.number?.(left) ?? null, row.number?.(right) ?? null];
  if (a === null || b === null) return "";
  return `${signed(b - a)}${row.unit === undefined ? "" : ` ${row.unit}`}`;
}

function difference({ difference: found, absence, halves }: Claims): string[] {
  const [half] = halves;
  if (absence !== undefined && half !== undefined) {
    return [printable(`${half.name} has this connection, ${absence.name} has not.`)];
  }
  if (found === undefined) return [];
  const { sentBy, sentBytes, receivedBytes, allowedBytes, impossible, exact = false } = found;
  return [
    ...pairLines([
      [`sent by the ${sentBy}`, bytesText(sentBytes)],
      ["received of it", bytesText(receivedBytes)],
      ["difference", bytesText(Math.abs(sentBytes - receivedBytes))],
      [exact ? "allowed" : "allowed for headers and loss", bytesText(allowedBytes)],
    ]),
    impossible
      ? "More arrived than was sent: no network does that, one of the two is wrong."
      : exact
        ? "Less arrived than was sent: TCP delivers all or says that it did not."
        : "Less arrived than loss explains.",
    exact
      ? "Compared is what the applications exchanged, as both ends' TCP counted it."
      : "Compared is what both kernels counted on the wire, headers included.",
    "Packets are never compared: kernels count large segments as one.",
  ];
}

function watermarkLines({ absence }: Claims, watermarks: readonly Watermark[]): string[] {
  const claimed =
    absence === undefined
      ? []
      : [{ ...absence, of: "when the finding was concluded, says the server" }];
  return [...claimed, ...watermarks].map(({ name, completeToMs, of }) =>
    printable(`${name} is complete to ${timeText(completeToMs)} (${of})`),
  );
}

function rest(members: Members): string[] {
  const pairs = Object.entries(members).map(([name, value]): [string, string] => [
    printable(name),
    valueText(name, value),
  ]);
  return pairs.length === 0 ? [] : pairLines(pairs);
}

function valueText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && name.endsWith("Ms")) return `${value}, ${timeText(value)}`;
  return printableJson(value);
}
