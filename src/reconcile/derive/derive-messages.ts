/** What the server and its deriving worker tell each other. */
import type { EngineAddress } from "../../store/engine.ts";
import type { FindingDraft } from "../finding/findings.ts";

/** Where the store is: a ClickHouse URL, or the embedded engine that the server started. */
type StorePlace =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "engine"; readonly address: EngineAddress };

export interface DeriveOrders {
  readonly journalDir: string;
  readonly intentPath: string;
  readonly store: StorePlace;
  /** Hex id of the server's own stream. */
  readonly serverId: string;
  readonly durableEnd: number;
}

export type ToWorker =
  | { readonly kind: "durable"; readonly end: number }
  | { readonly kind: "answer"; readonly id: number; readonly error?: string }
  | { readonly kind: "stop" };

export type FromWorker =
  | { readonly kind: "progress"; readonly committed: number; readonly live: number }
  | { readonly kind: "log"; readonly line: string }
  | { readonly kind: "findings"; readonly id: number; readonly findings: FindingDraft[] }
  | { readonly kind: "engine_ready"; readonly id: number; readonly maxMs: number };
