/**
 * Who may take part: nodes and the keys by which they join.
 *
 * Order of effects of enrolling and revoking, and what a crash after each step means:
 *
 *   1. checked against memory       nothing happened
 *   2. entry durable in the journal the change has happened; the next start applies it (replay)
 *   3. applied in SQLite            done
 *   4. answered                     the node asks again and gets the same answer
 *
 * Changes run one at a time, so that what was checked still holds when it is applied. A failure in
 * step 3 stops all changes: memory, file and journal no longer agree until the next start.
 */
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { ENROLMENT_ID_BYTES, ENROLMENT_SECRET_BYTES } from "../format/enrolment.ts";
import type { EnrolledEntry, RevokedEntry } from "../format/entry.ts";
import { nodeIdOf } from "../format/identity.ts";
import type { Clock } from "../std/clock.ts";
import { ControlError } from "./control-error.ts";
import { openDatabase, transaction } from "./database.ts";
import { hashSecret, KeyTable, keyState, secretFits, type StoredKey } from "./key-table.ts";
import {
  CHANGES_WAITING_MAX,
  DEAD_KEYS_KEPT_MS,
  KEY_TTL_MS_DEFAULT,
  LIVE_KEYS_MAX,
  NODES_MAX,
} from "./limits.ts";
import { checkKeyRequest, type KeyRequest } from "./key-check.ts";
import { type ControlNode, NodeTable } from "./node-table.ts";
import { applyEntry, type ControlEntry } from "./replay.ts";

export interface ControlOptions {
  /** `:memory:` in tests. */
  readonly file: string;
  readonly clock: Clock;
  /**
   * Appends to the server's own stream; resolves with the journal index when durable. Rejects with
   * a `ControlError` when nothing was written; any other rejection is an unknown outcome.
   */
  append(entry: EnrolledEntry | RevokedEntry): Promise<{ readonly index: number }>;
  /**
   * Called when the node already counts as revoked for admission: resolves when no batch of it is
   * between check and journal, with where its chain ended.
   */
  chainEnd(nodeId: string): Promise<{ readonly epoch: number; readonly batches: number }>;
  /** Called once: what is in memory may no longer be what is on disk, so the process must end. */
  onFatal(error: ControlError): void;
}

/** As ingest checked it: the name is one, and the sender has proven that it holds the private key. */
export interface EnrolmentRequest {
  readonly keyId: Uint8Array;
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly name: string;
}

export interface CreatedKey {
  readonly key: StoredKey;
  /** Shown once; 24 bytes. */
  readonly secret: Buffer;
}

export class Control {
  readonly #options: ControlOptions;
  readonly #database: DatabaseSync;
  readonly #nodes: NodeTable;
  readonly #keys: KeyTable;
  readonly #revoking = new Set<string>();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #failure: ControlError | undefined;

  /** Takes the lock of the data directory. Throws `data_in_use`, `state_too_new`, `control_failed`. */
  static open(options: ControlOptions): Control {
    return new Control(options, openDatabase(options.file));
  }

  private constructor(options: ControlOptions, database: DatabaseSync) {
    this.#options = options;
    this.#database = database;
    this.#nodes = new NodeTable(database);
    this.#keys = new KeyTable(database);
    this.#keys.forgetDead(options.clock.nowMs() - DEAD_KEYS_KEPT_MS);
  }

  /** Index of the first journal record whose entries may not be applied yet. */
  get appliedIndex(): number {
    return Number(this.#database.prepare("SELECT next_index FROM applied").get()?.["next_index"]);
  }

  /**
   * Applies what the journal holds from `appliedIndex` on; `nextIndex` is where the journal ends.
   * Before anything else, and idempotent: the file may be any older state, or new.
   */
  async replay(
    entries: AsyncIterable<ControlEntry> | Iterable<ControlEntry>,
    nextIndex: number,
  ): Promise<void> {
    for await (const entry of entries) this.#apply(entry);
    this.#setApplied(nextIndex);
  }

  /** Synchronous: admission asks for every batch. A node that is being revoked is revoked already. */
  node(id: string): ControlNode | undefined {
    const node = this.#nodes.get(id);
    return node !== undefined && this.#revoking.has(id) ? { ...node, state: "revoked" } : node;
  }

  nodes(): ControlNode[] {
    return this.#nodes.list();
  }

  /** By id, or by the name of an active node, or else of a revoked one. Throws `unknown_node`. */
  findNode(idOrName: string): ControlNode {
    const node =
      this.#nodes.get(idOrName) ?? this.#nodes.active(idOrName) ?? this.#nodes.revoked(idOrName);
    if (node !== undefined) return node;
    throw new ControlError("unknown_node", `no node has the name or id ${idOrName}`);
  }

  /**
   * Lets a node in. The same public key again gives the same answer, whatever became of the
   * enrolment key. Throws `bad_enrolment_key`, `revoked_key`, `name_taken`, `too_many_nodes`,
   * `control_busy`, `control_failed`.
   */
  async enrol(request: EnrolmentRequest): Promise<ControlNode> {
    const id = nodeIdOf(request.publicKey).toString("hex");
    return this.#known(id) ?? this.#change(() => this.#enrol(id, request));
  }

  /** Throws `unknown_node`, `already_revoked`, `control_busy`, `control_failed`. */
  async revokeNode(idOrName: string): Promise<ControlNode> {
    this.findNode(idOrName);
    return this.#change(() => this.#revoke(this.findNode(idOrName)));
  }

  /** Throws `bad_ttl`, `bad_tag`, `too_many_keys`. */
  createKey(request: KeyRequest): CreatedKey {
    checkKeyRequest(request);
    this.#check();
    const nowMs = this.#options.clock.nowMs();
    if (this.#keys.countLive(nowMs) >= LIVE_KEYS_MAX) {
      throw new ControlError("too_many_keys", `${LIVE_KEYS_MAX} enrolment keys are usable`);
    }
    const secret = randomBytes(ENROLMENT_SECRET_BYTES);
    const key = {
      id: newKeyId(),
      secretHash: hashSecret(secret),
      reusable: request.reusable ?? false,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + (request.ttlMs ?? KEY_TTL_MS_DEFAULT),
      tags: request.tags ?? [],
    };
    this.#keys.insert(key);
    return { key: { ...key, uses: 0 }, secret };
  }

  keys(): StoredKey[] {
    return this.#keys.list();
  }

  /** Throws `unknown_key`. Revoking again changes nothing. */
  revokeKey(id: string): StoredKey {
    this.#check();
    this.#keys.revoke(id, this.#options.clock.nowMs());
    const key = this.#keys.get(id);
    if (key === undefined)
      throw new ControlError("unknown_key", `no enrolment key has the id ${id}`);
    return key;
  }

  /** Waits for the change in progress. */
  async close(): Promise<void> {
    await this.#tail;
    this.#failure ??= new ControlError("control_failed", "the control state is closed");
    this.#database.close();
  }

  async #enrol(id: string, request: EnrolmentRequest): Promise<ControlNode> {
    const known = this.#known(id);
    if (known !== undefined) return known;
    const enrolmentKey = Buffer.from(request.keyId).toString("base64url");
    this.#checkKey(enrolmentKey, request.secret);
    this.#checkRoom(request.name);
    await this.#commit({
      kind: "enrolled",
      atMs: this.#options.clock.nowMs(),
      node: id,
      name: request.name,
      publicKey: Buffer.from(request.publicKey).toString("base64url"),
      enrolmentKey,
    });
    return this.findNode(id);
  }

  async #revoke(node: ControlNode): Promise<ControlNode> {
    if (node.state === "revoked") {
      const at = new Date(node.revoked?.atMs ?? 0).toISOString();
      throw new ControlError("already_revoked", `node ${node.name} (${node.id}) since ${at}`);
    }
    this.#revoking.add(node.id);
    try {
      const { epoch, batches } = await this.#options.chainEnd(node.id);
      const atMs = this.#options.clock.nowMs();
      // −1 for a node that never sent anything.
      const lastBatch = batches - 1;
      await this.#commit({ kind: "revoked", atMs, node: node.id, epoch, lastBatch });
      return this.findNode(node.id);
    } finally {
      this.#revoking.delete(node.id);
    }
  }

  #known(id: string): ControlNode | undefined {
    const node = this.node(id);
    if (node?.state !== "revoked") return node;
    throw new ControlError("revoked_key", `the key of node ${node.name} was revoked`);
  }

  /** One answer for every reason: a guesser learns nothing. */
  #checkKey(id: string, secret: Uint8Array): void {
    const key = this.#keys.get(id);
    const usable = key !== undefined && keyState(key, this.#options.clock.nowMs()) === "usable";
    if (usable && secretFits(key, secret)) return;
    throw new ControlError(
      "bad_enrolment_key",
      "the enrolment key is unknown, expired, spent or revoked",
    );
  }

  #checkRoom(name: string): void {
    if (this.#nodes.active(name) !== undefined) {
      throw new ControlError("name_taken", `another active node is named ${name}`);
    }
    if (this.#nodes.size >= NODES_MAX) {
      throw new ControlError("too_many_nodes", `${NODES_MAX} nodes are enrolled`);
    }
  }

  /** Journal first, then SQLite. */
  async #commit(entry: EnrolledEntry | RevokedEntry): Promise<void> {
    let index: number;
    try {
      ({ index } = await this.#options.append(entry));
    } catch (cause) {
      if (cause instanceof ControlError) throw cause;
      throw this.#fail("the journal did not confirm a change; its outcome is unknown", cause);
    }
    try {
      this.#apply(entry);
      // Changes run one at a time, so every one before this record is applied too.
      this.#setApplied(index + 1);
    } catch (cause) {
      throw this.#fail("a journaled change could not be stored", cause);
    }
  }

  #apply(entry: ControlEntry): void {
    transaction(this.#database, () => applyEntry(this.#nodes, this.#keys, entry));
  }

  #setApplied(nextIndex: number): void {
    this.#database.prepare("UPDATE applied SET next_index = max(next_index, ?)").run(nextIndex);
  }

  #change<T>(effects: () => Promise<T>): Promise<T> {
    this.#check();
    if (this.#waiting >= CHANGES_WAITING_MAX) {
      throw new ControlError("control_busy", `${CHANGES_WAITING_MAX} changes wait; try again`);
    }
    this.#waiting++;
    const change = this.#tail.then(() => {
      this.#check();
      return effects();
    });
    this.#tail = change.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return change;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(message: string, cause: unknown): ControlError {
    this.#failure ??= new ControlError("control_failed", message, { cause });
    this.#options.onFatal(this.#failure);
    return this.#failure;
  }
}

/** Never one that a command line takes for an option. */
function newKeyId(): string {
  for (;;) {
    const id = randomBytes(ENROLMENT_ID_BYTES).toString("base64url");
    if (!id.startsWith("-")) return id;
  }
}
