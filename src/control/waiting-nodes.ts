/**
 * Nodes that asked to join by an enrolment key that needs an administrator's approval. They have sent
 * nothing and are no nodes yet: the journal hears of them when somebody lets them in.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Effect } from "./effect.ts";

export interface WaitingNode {
  /** Hex. */
  readonly id: string;
  readonly name: string;
  /** base64url of 32 bytes. */
  readonly publicKey: string;
  readonly enrolmentKey: string;
  /** Where it asked from. */
  readonly address: string;
  readonly askedAtMs: number;
}

export class WaitingNodes {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Longest waiting first. */
  list(): WaitingNode[] {
    return this.#database
      .prepare("SELECT * FROM waiting_nodes ORDER BY asked_at_ms, id")
      .all()
      .map(waitingOf);
  }

  get(id: string): WaitingNode | undefined {
    const row = this.#database.prepare("SELECT * FROM waiting_nodes WHERE id = ?").get(id);
    return row === undefined ? undefined : waitingOf(row);
  }

  /** By id, or by a name that no other waiting node has. */
  find(idOrName: string): WaitingNode | undefined {
    const byId = this.get(idOrName);
    if (byId !== undefined) return byId;
    const named = this.list().filter(({ name }) => name.toLowerCase() === idOrName.toLowerCase());
    return named.length === 1 ? named[0] : undefined;
  }

  insertion({ id, name, publicKey, enrolmentKey, address, askedAtMs }: WaitingNode): Effect {
    return {
      do: "insert",
      table: "waiting_nodes",
      row: {
        id,
        name,
        public_key: publicKey,
        enrolment_key: enrolmentKey,
        address,
        asked_at_ms: askedAtMs,
      },
    };
  }

  removal(id: string): Effect {
    return { do: "delete", table: "waiting_nodes", key: { id } };
  }

  /** Who asked before this and was neither let in nor turned away may ask again. */
  forgetOld(beforeMs: number): void {
    this.#database.prepare("DELETE FROM waiting_nodes WHERE asked_at_ms < ?").run(beforeMs);
  }
}

function waitingOf(row: Record<string, SQLOutputValue>): WaitingNode {
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    publicKey: String(row["public_key"]),
    enrolmentKey: String(row["enrolment_key"]),
    address: String(row["address"]),
    askedAtMs: Number(row["asked_at_ms"]),
  };
}
