/** Nodes: rows in SQLite, and all of them in memory, because ingest asks for every batch. */
import type { KeyObject } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Effect } from "./effect.ts";
import { keyIdOf, publicKeyFromRaw } from "../format/identity.ts";

export interface ControlNode {
  /** Hex. */
  readonly id: string;
  readonly name: string;
  /** 32 bytes. */
  readonly publicKeyBytes: Uint8Array;
  /** Made once: building a key object costs as much as a tenth of a signature's check. */
  readonly publicKey: KeyObject;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  readonly state: "active" | "revoked";
  readonly enrolledAtMs: number;
  /** Id of the enrolment key that let it in. */
  readonly enrolmentKey: string;
  readonly tags: readonly string[];
  /** Whose it is, as somebody wrote it; empty: nobody said. */
  readonly owner: string;
  readonly revoked?: Revocation;
}

/** The last batch that counts; `batchNo` -1: none does. */
export interface Revocation {
  readonly atMs: number;
  readonly epoch: number;
  readonly batchNo: number;
}

export type NewNode = Pick<
  ControlNode,
  "id" | "name" | "publicKeyBytes" | "enrolledAtMs" | "enrolmentKey" | "tags"
>;

export class NodeTable {
  readonly #database: DatabaseSync;
  readonly #byId = new Map<string, ControlNode>();
  /** Active nodes by name in lower case: two names that differ in case alone would be one to a reader. */
  readonly #idByName = new Map<string, string>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.reloadAll();
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): ControlNode | undefined {
    return this.#byId.get(id);
  }

  active(name: string): ControlNode | undefined {
    return this.#byId.get(this.#idByName.get(name.toLowerCase()) ?? "");
  }

  /** The one of this name that was revoked last: names are free again afterwards. */
  revoked(name: string): ControlNode | undefined {
    const wanted = name.toLowerCase();
    return [...this.#byId.values()]
      .filter((node) => node.state === "revoked" && node.name.toLowerCase() === wanted)
      .sort((a, b) => (b.revoked?.atMs ?? 0) - (a.revoked?.atMs ?? 0) || compare(a.id, b.id))[0];
  }

  /** By name, active ones before revoked ones of the same name. */
  list(): ControlNode[] {
    return [...this.#byId.values()].sort(
      (a, b) => compare(a.name, b.name) || compare(a.state, b.state) || compare(a.id, b.id),
    );
  }

  insert(node: NewNode): ControlNode {
    this.#database
      .prepare(
        `INSERT INTO nodes (id, name, public_key, state, enrolled_at_ms, enrolment_key, tags)
         VALUES (?, ?, ?, 'active', ?, ?, ?)`,
      )
      .run(
        node.id,
        node.name,
        node.publicKeyBytes,
        node.enrolledAtMs,
        node.enrolmentKey,
        JSON.stringify(node.tags),
      );
    return this.reload(node.id);
  }

  revoke(id: string, revocation: Revocation): ControlNode {
    this.#database
      .prepare(
        `UPDATE nodes SET state = 'revoked', revoked_at_ms = ?, revoked_epoch = ?, revoked_last_batch = ?
         WHERE id = ? AND state = 'active'`,
      )
      .run(revocation.atMs, revocation.epoch, revocation.batchNo, id);
    return this.reload(id);
  }

  update(id: string, { name, owner, tags }: Pick<ControlNode, "name" | "owner" | "tags">): Effect {
    return {
      do: "update",
      table: "nodes",
      key: { id },
      set: { name, owner, tags: JSON.stringify(tags) },
    };
  }

  /** After any row may have changed. */
  reloadAll(): void {
    this.#byId.clear();
    this.#idByName.clear();
    for (const row of this.#database.prepare("SELECT * FROM nodes ORDER BY name").all()) {
      this.#remember(nodeOf(row));
    }
  }

  /** After its row has changed. */
  reload(id: string): ControlNode {
    const before = this.#byId.get(id);
    if (before?.state === "active") this.#idByName.delete(before.name.toLowerCase());
    const row = this.#database.prepare("SELECT * FROM nodes WHERE id = ?").get(id);
    if (row === undefined) throw new Error(`node ${id} was not stored`);
    const node = nodeOf(row);
    this.#remember(node);
    return node;
  }

  #remember(node: ControlNode): void {
    this.#byId.set(node.id, node);
    if (node.state === "active") this.#idByName.set(node.name.toLowerCase(), node.id);
  }
}

function nodeOf(row: Record<string, SQLOutputValue>): ControlNode {
  const publicKeyBytes = Buffer.from(row["public_key"] as Uint8Array);
  const revokedAtMs = row["revoked_at_ms"];
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    publicKeyBytes,
    publicKey: publicKeyFromRaw(publicKeyBytes),
    keyId: keyIdOf(publicKeyBytes),
    state: row["state"] === "revoked" ? "revoked" : "active",
    enrolledAtMs: Number(row["enrolled_at_ms"]),
    enrolmentKey: String(row["enrolment_key"]),
    tags: JSON.parse(String(row["tags"])) as string[],
    owner: String(row["owner"]),
    ...(revokedAtMs === null
      ? {}
      : {
          revoked: {
            atMs: Number(revokedAtMs),
            epoch: Number(row["revoked_epoch"]),
            batchNo: Number(row["revoked_last_batch"]),
          },
        }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
