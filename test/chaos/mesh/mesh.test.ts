/**
 * Honest nodes of the mesh do what docs/formats.md says that an agent does, whatever happens to
 * them: what the comparison makes of it is then its own doing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, type BatchHeader } from "../../../src/format/batch.ts";
import type { Entry } from "../../../src/format/entry.ts";
import { decodeEntries, decompressPayload } from "../../../src/format/payload.ts";
import { SHORT } from "../options.ts";
import { Mesh } from "./mesh.ts";
import { Weather } from "./weather.ts";

/** What one node has said so far. */
interface Said {
  epoch: number;
  nextSeq: number;
  completeToMs: number;
  /** Open halves of the epoch: has each ended, and told its counters? */
  readonly halves: Map<number, { closed: boolean; accounted: boolean }>;
  /** Numbers that were skipped and not declared lost. */
  skipped: number[];
}

class Listener {
  readonly problems: string[] = [];
  readonly kinds = new Map<string, number>();
  readonly #nodes = new Map<string, Said>();

  take(header: BatchHeader, entries: readonly Entry[]): void {
    const id = Buffer.from(header.nodeId).toString("hex");
    const empty = { epoch: 0, nextSeq: 0, completeToMs: 0, halves: new Map(), skipped: [] };
    const said: Said = this.#nodes.get(id) ?? empty;
    this.#nodes.set(id, said);
    if (header.epoch > said.epoch) said.halves.clear();
    said.epoch = header.epoch;
    for (let seq = said.nextSeq; seq < header.seqFirst; seq++) said.skipped.push(seq);
    if (header.seqFirst < said.nextSeq) this.#complain(id, "used numbers again");
    for (const [index, entry] of entries.entries()) {
      this.kinds.set(entry.kind, (this.kinds.get(entry.kind) ?? 0) + 1);
      const problem = problemOf(said, entry, header.seqFirst + index);
      if (problem !== undefined) this.#complain(id, problem);
    }
    if (header.completeToMs < said.completeToMs) this.#complain(id, "took completeness back");
    said.completeToMs = header.completeToMs;
    said.nextSeq = header.seqFirst + header.entryCount;
  }

  /** When all is said. */
  end(): void {
    for (const [id, { skipped }] of this.#nodes) {
      if (skipped.length > 0) this.#complain(id, `never declared ${skipped.length} numbers`);
    }
  }

  #complain(id: string, what: string): void {
    this.problems.push(`${id.slice(0, 8)} ${what}`);
  }
}

function problemOf(said: Said, entry: Entry, seq: number): string | undefined {
  switch (entry.kind) {
    case "open":
      said.halves.set(seq, { closed: false, accounted: false });
      if (entry.pickup || entry.atMs >= said.completeToMs) return undefined;
      return `opened a half ${said.completeToMs - entry.atMs} ms behind its fence`;
    case "update":
    case "close":
    case "account":
      return amendmentProblem(said, entry);
    case "gap":
      said.skipped = said.skipped.filter(
        (one) => entry.seqs === undefined || one < entry.seqs[0] || one > entry.seqs[1],
      );
      return undefined;
    default:
      return undefined;
  }
}

function amendmentProblem(
  said: Said,
  entry: Extract<Entry, { kind: "update" | "close" | "account" }>,
): string | undefined {
  const half = said.halves.get(entry.openSeq);
  if (half === undefined) return `a ${entry.kind} belongs to no open half`;
  if (half.accounted) return `a ${entry.kind} comes after the final counters`;
  if (entry.kind === "account" && !half.closed) return "an account comes before its close";
  if (entry.kind !== "account" && half.closed) return `a ${entry.kind} comes after the close`;
  if (entry.kind === "close") half.closed = true;
  if (entry.kind === "account") half.accounted = true;
  return undefined;
}

for (const seed of [1, 2]) {
  test(`honest nodes keep the rules of the format, seed ${seed}`, () => {
    const options = { ...SHORT, seed, nodes: 100, connections: 12_000, trafficMs: 500_000 };
    const mesh = new Mesh(options);
    const window = { fromMs: 60_000, toMs: 400_000 };
    new Weather(mesh, mesh.dice.fork()).plan(mesh.topology.places, window);
    const listener = new Listener();
    mesh.run((_endMs, arrivals) => {
      for (const { frame } of arrivals) {
        const { header, payload } = decodeFrame(frame);
        listener.take(header, decodeEntries(decompressPayload(payload, header.rawBytes), header));
      }
    });
    listener.end();
    assert.deepEqual([...new Set(listener.problems)].slice(0, 10), []);
    const told = [...listener.kinds.keys()];
    for (const kind of ["gap", "stop", "degraded", "opt_out", "resume", "rollback", "account"]) {
      assert.ok(told.includes(kind), `nobody wrote a ${kind}`);
    }
    // Long connections live on; nothing else is kept.
    assert.ok(mesh.pool.used < options.nodes + 1_000, `${mesh.pool.used} halves are left`);
  });
}
