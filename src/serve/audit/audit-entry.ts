/** An audit entry about what changed nothing: a read, or an attempt. */
import { randomBytes } from "node:crypto";
import type { Who } from "../../control/who.ts";
import type { AuditEntry } from "../../format/entry.ts";

export interface AuditSaid extends Pick<AuditEntry, "action" | "target"> {
  readonly who: Who;
  readonly atMs: number;
  readonly read?: boolean;
  /** Of an entry before, that this one goes on. */
  readonly group?: string;
  readonly outcome?: AuditEntry["outcome"];
  readonly code?: string;
  readonly facts?: AuditEntry["facts"];
}

export function auditEntry(said: AuditSaid): AuditEntry {
  const id = randomBytes(16).toString("hex");
  const { actor, address, origin } = said.who;
  return {
    kind: "audit",
    atMs: said.atMs,
    id,
    group: said.group ?? id,
    actor,
    address,
    origin,
    action: said.action,
    read: said.read ?? false,
    target: said.target,
    changes: [],
    outcome: said.outcome ?? "done",
    code: said.code ?? "",
    facts: said.facts ?? {},
  };
}

export const NOTHING = { type: "", id: "", name: "" } as const;
