/** What to do when the server says no to a batch, by its code (docs/errors.md). */
export type AfterRefusal =
  /** Ask for the head and go on from there. */
  | "recover"
  /** The batch as it is will never be taken; its entries may be, in a new epoch. */
  | "again-in-new-epoch"
  /** Its entries will not be taken either: they are declared lost. */
  | "give-up"
  /** Nothing that the agent does helps; somebody must look. Try again much later. */
  | "wait"
  /** The server will never listen to this key again. */
  | "halt";

const AFTER: Readonly<Record<string, AfterRefusal>> = {
  chain_gap: "recover",
  stale_epoch: "recover",
  replayed: "recover",
  fork: "recover",
  seq_reused: "again-in-new-epoch",
  opted_out: "again-in-new-epoch",
  bad_header: "give-up",
  bad_payload: "give-up",
  bad_entry: "give-up",
  payload_too_large: "give-up",
  revoked_key: "halt",
};

/** Codes that a later server may invent are reasons to wait, not to give entries up. */
export function afterRefusal(code: string): AfterRefusal {
  return AFTER[code] ?? "wait";
}
