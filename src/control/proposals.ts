/**
 * Rulings that count only once a second person confirms them: those about a node by whose it is. Who
 * would be accused could otherwise excuse himself.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Ruling } from "../format/entry.ts";
import type { Effect } from "./effect.ts";

export interface Proposal {
  readonly findingId: string;
  readonly ruling: Exclude<Ruling, "reopened">;
  readonly reason: string;
  /** Absent: as the ruling has it without. */
  readonly expiresAtMs?: number;
  /** Of who proposes it. */
  readonly userId: string;
  readonly userName: string;
  readonly atMs: number;
}

export class Proposals {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(findingId: string): Proposal | undefined {
    const row = this.#database
      .prepare("SELECT * FROM proposals WHERE finding_id = ?")
      .get(findingId);
    return row === undefined ? undefined : proposalOf(row);
  }

  /** The last one about a finding is the one that is left. */
  put({ findingId, ruling, reason, expiresAtMs, userId, userName, atMs }: Proposal): Effect[] {
    const row = {
      finding_id: findingId,
      ruling,
      reason,
      expires_at_ms: expiresAtMs ?? null,
      user_id: userId,
      user_name: userName,
      at_ms: atMs,
    };
    return [...this.remove(findingId), { do: "insert", table: "proposals", row }];
  }

  remove(findingId: string): Effect[] {
    return [{ do: "delete", table: "proposals", key: { finding_id: findingId } }];
  }
}

function proposalOf(row: Record<string, SQLOutputValue>): Proposal {
  const expiresAtMs = row["expires_at_ms"];
  return {
    findingId: String(row["finding_id"]),
    ruling: row["ruling"] === "acknowledged" ? "acknowledged" : "excused",
    reason: String(row["reason"]),
    ...(expiresAtMs === null ? {} : { expiresAtMs: Number(expiresAtMs) }),
    userId: String(row["user_id"]),
    userName: String(row["user_name"]),
    atMs: Number(row["at_ms"]),
  };
}
