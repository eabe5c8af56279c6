/** Who asks for a change: what its audit entry says of them. */
import type { Actor, AuditEntry } from "../format/entry.ts";
import type { Effect } from "./effect.ts";

export interface Who {
  readonly actor: Actor;
  /** Canonical; empty where there is none. */
  readonly address: string;
  readonly origin: AuditEntry["origin"];
  /** Whose token it is, where a token acts for a user. */
  readonly user?: { readonly id: string; readonly name: string };
  /** What else is to be stored with the first change that is made for them, in the same transaction. */
  readonly remember?: (action: string, targetId: string) => readonly Effect[];
}

/** Whose the things are that they make: a user's, whether in a session or by a token. */
export function ownerOf({ user, actor }: Who): { readonly id: string; readonly name: string } {
  return user ?? actor;
}

/** The server itself: what it does because time has passed, or because it starts. */
export const SYSTEM: Who = {
  actor: { type: "system", id: "", name: "server" },
  address: "",
  origin: "system",
};
