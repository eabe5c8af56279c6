/**
 * The heads on disk, so that a start reads the end of a big journal and not all of it. A cache: it
 * is used only when its own hash is right and the journal still holds the very record that it ends
 * with; in every other case the journal is read from the beginning.
 *
 *   line 1  {"version":1,"nextIndex":n,"anchor":hex SHA-256 of the header of record n − 1}
 *   a line per node, [id, epoch, batches, head, nextSeq, optedOut, last, stride, since, marks]
 *   last line  hex SHA-256 of everything before it
 *
 * A crash while writing leaves the former file. Heads reflect durable records only, so the file
 * never knows more than the journal.
 */
import { createHash } from "node:crypto";
import { HASH_BYTES, HEADER_BYTES } from "../format/batch.ts";
import { NODE_ID_BYTES } from "../format/identity.ts";
import type { Disk } from "../std/disk.ts";
import { readFile } from "../std/durable-file.ts";
import { ChainHeads, type Mark, type NodeChain } from "./chain-heads.ts";
import type { JournalPort, JournalRecord } from "./journal-port.ts";

const VERSION = 1;

type NodeLine = [
  nodeId: string,
  epoch: number,
  batches: number,
  head: string,
  nextSeq: number,
  optedOut: boolean,
  last: [index: number, receivedMs: number],
  markStride: number,
  batchesSinceMark: number,
  marks: [epoch: number, batchNo: number, index: number][],
];

export interface SnapshotFile {
  readonly disk: Disk;
  /** Its directory exists. */
  readonly path: string;
}

/** Heads as of the journal's end: from the snapshot where it holds, by reading the journal from there. */
export async function recoverHeads(file: SnapshotFile, journal: JournalPort): Promise<ChainHeads> {
  const heads = new ChainHeads();
  const snapshot = parse((await readFile(file.disk, file.path))?.toString("utf8") ?? "");
  if (snapshot !== undefined && (await fits(snapshot, journal))) {
    heads.restore(snapshot.nextIndex, snapshot.chains);
  }
  await heads.replay(journal);
  return heads;
}

/** The text of the heads as they are now. `last` is the record before `heads.nextIndex`. */
export function encodeSnapshot(heads: ChainHeads, lastFrame: Uint8Array): string {
  const head = { version: VERSION, nextIndex: heads.nextIndex, anchor: anchorOf(lastFrame) };
  const lines = [JSON.stringify(head)];
  for (const [nodeId, chain] of heads.entries()) lines.push(JSON.stringify(lineOf(nodeId, chain)));
  const body = `${lines.join("\n")}\n`;
  return `${body}${sha256(body)}\n`;
}

interface Snapshot {
  readonly nextIndex: number;
  readonly anchor: string;
  readonly chains: [string, NodeChain][];
}

/** Undefined for anything that this version did not write completely. */
function parse(text: string): Snapshot | undefined {
  const bodyEnd = text.lastIndexOf("\n", text.length - 2) + 1;
  const body = text.slice(0, bodyEnd);
  if (bodyEnd === 0 || sha256(body) !== text.slice(bodyEnd).trim()) return undefined;
  const [first = "", ...rest] = body.trimEnd().split("\n");
  const head = JSON.parse(first) as { version: number; nextIndex: number; anchor: string };
  if (head.version !== VERSION) return undefined;
  const chains = rest.map((line) => chainOf(JSON.parse(line) as NodeLine));
  return { nextIndex: head.nextIndex, anchor: head.anchor, chains };
}

async function fits(snapshot: Snapshot, journal: JournalPort): Promise<boolean> {
  const record = await recordAt(journal, snapshot.nextIndex - 1);
  return record !== undefined && anchorOf(record.frame) === snapshot.anchor;
}

async function recordAt(journal: JournalPort, index: number): Promise<JournalRecord | undefined> {
  for await (const record of journal.read(index)) {
    return record.index === index ? record : undefined;
  }
  return undefined;
}

function lineOf(nodeId: string, chain: NodeChain): NodeLine {
  const { state } = chain;
  const last = chain.recent.at(-1);
  return [
    nodeId,
    state.epoch,
    state.batches,
    Buffer.from(state.head).toString("base64url"),
    state.nextSeq,
    state.optedOut,
    [last?.index ?? 0, last?.receivedMs ?? 0],
    chain.markStride,
    chain.batchesSinceMark,
    chain.marks.map((one): [number, number, number] => [one.epoch, one.batchNo, one.index]),
  ];
}

function chainOf(line: NodeLine): [string, NodeChain] {
  const [nodeId, epoch, batches, headText, nextSeq, optedOut, last, markStride, since, marks] =
    line;
  const head = Buffer.from(headText, "base64url");
  if (nodeId.length !== NODE_ID_BYTES * 2 || head.length !== HASH_BYTES) {
    throw new TypeError(`the snapshot's line of node ${nodeId} is not in the format`);
  }
  const [index, receivedMs] = last;
  const chain: NodeChain = {
    state: { epoch, batches, head, nextSeq, optedOut },
    recent: [{ epoch, batchNo: batches - 1, hash: head, index, receivedMs }],
    marks: marks.map((one): Mark => ({ epoch: one[0], batchNo: one[1], index: one[2] })),
    markStride,
    batchesSinceMark: since,
  };
  return [nodeId, chain];
}

/** By the header: what retention leaves in place. */
function anchorOf(frame: Uint8Array): string {
  return createHash("sha256").update(frame.subarray(0, HEADER_BYTES)).digest("hex");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
