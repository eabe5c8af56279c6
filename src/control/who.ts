/** Who asks for a change: what its audit entry says of them. */
import type { Actor, AuditEntry } from "../format/entry.ts";

export interface Who {
  readonly actor: Actor;
  /** Canonical; empty where there is none. */
  readonly address: string;
  readonly origin: AuditEntry["origin"];
}

/** The server itself: what it does because time has passed, or because it starts. */
export const SYSTEM: Who = {
  actor: { type: "system", id: "", name: "server" },
  address: "",
  origin: "system",
};
