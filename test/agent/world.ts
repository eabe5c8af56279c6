/** A real ingest on a journal in memory, which a test can stop, restore from a backup, and read. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/format/entry.ts";
import { type BatchHeader, decodeFrame } from "../../src/format/batch.ts";
import { formatEnrolmentKey } from "../../src/format/enrolment.ts";
import { decodeEntries, decompressPayload } from "../../src/format/payload.ts";
import { MemoryJournal } from "../simulate/memory-journal.ts";
import type { KnownNode } from "../../src/ingest/node-directory.ts";
import { serveIngest, type Serving, TEST_SECRET } from "../ingest/serve.ts";

export interface Arrived {
  readonly header: BatchHeader;
  readonly entries: readonly { readonly seq: number; readonly entry: Entry }[];
}

export class World {
  readonly directory: string;
  readonly journal: MemoryJournal;
  #serving: Serving;
  #nodes: Map<string, KnownNode>;
  #waiting: (() => void)[] = [];

  private constructor(directory: string, journal: MemoryJournal, serving: Serving) {
    this.directory = directory;
    this.journal = journal;
    this.#serving = serving;
    this.#nodes = serving.nodes;
    this.journal.after = async () => {
      queueMicrotask(() => this.#waiting.splice(0).forEach((wake) => wake()));
    };
  }

  static async open(): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), "tallystick-agent-"));
    const journal = new MemoryJournal();
    return new World(directory, journal, await serveIngest({ directory, journal }));
  }

  get url(): string {
    return this.#serving.url;
  }

  get findings(): Serving["findings"] {
    return this.#serving.findings;
  }

  /** An enrolment key that the server takes. */
  get key(): { id: Buffer; secret: Buffer } {
    return { id: Buffer.alloc(6, 1), secret: TEST_SECRET };
  }

  get keyText(): string {
    return formatEnrolmentKey(this.key);
  }

  state(name: string): string {
    return join(this.directory, name);
  }

  async stop(): Promise<void> {
    await this.#serving.close();
  }

  /** Starts again on the same port, with the journal as it is now. */
  async start(): Promise<void> {
    const port = Number(new URL(this.url).port);
    rmSync(join(this.directory, "heads"), { force: true });
    const { directory, journal } = this;
    this.#serving = await serveIngest({ directory, journal, port });
    for (const [id, node] of this.#nodes) this.#serving.nodes.set(id, node);
    this.#nodes = this.#serving.nodes;
  }

  /** Like a server that comes back from a backup: the last records are gone. */
  forget(count: number): void {
    this.journal.records.splice(this.journal.records.length - count);
  }

  revoke(node: string): void {
    const known = this.#serving.nodes.get(node);
    if (known !== undefined) this.#serving.nodes.set(node, { ...known, state: "revoked" });
  }

  /** All batches of a node that are in the journal, in order. */
  arrived(node: string): Arrived[] {
    return this.journal.records
      .filter(({ type }) => type === "batch")
      .map(({ frame }) => decodeFrame(frame))
      .filter(({ header }) => Buffer.from(header.nodeId).toString("hex") === node)
      .map(({ header, payload }) => {
        const { seqFirst, entryCount, rawBytes } = header;
        const raw = decompressPayload(payload, rawBytes);
        const entries = decodeEntries(raw, { seqFirst, entryCount });
        return { header, entries: entries.map((entry, at) => ({ entry, seq: seqFirst + at })) };
      });
  }

  entries(node: string): Entry[] {
    return this.arrived(node).flatMap(({ entries }) => entries.map(({ entry }) => entry));
  }

  /** Resolves when the journal shows it; looks again after each record. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving.close().catch(() => undefined);
    await rm(this.directory, { recursive: true, force: true });
  }
}
