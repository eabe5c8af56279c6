/** What the routes work with: handed in by server.ts, replaced by tests. */
import type { Control } from "../control/control.ts";
import type { EvidenceSource } from "../evidence/source.ts";
import type { Clock } from "../std/clock.ts";
import type { SessionCookie } from "./access/session-cookie.ts";
import type { SignInThrottle } from "./access/signin-throttle.ts";
import type { ReadAudit } from "./audit/read-audit.ts";
import type { EventHub } from "./events/event-hub.ts";
import type { FlowCookie } from "./oidc/flow-cookie.ts";
import type { GuardedFetch } from "./oidc/guarded-fetch.ts";
import type { Retention } from "./store/retention.ts";
import type { StoreReader } from "./query/store-reader.ts";
import type { WebhookSender } from "./webhook/webhook-sender.ts";

/** Numbers that the other stages keep; asked for when needed. */
export interface Vitals {
  /** One past the last durable record. */
  readonly journalEnd: number;
  /** One past the last record whose rows are searchable. */
  readonly committed: number;
  /** Nodes are refused until there is room. */
  readonly isDiskFull: boolean;
  /** What is kept for changes, sign-ins and the audit meanwhile. */
  readonly reservedBytes: number;
  /** Set when the journal failed: the process is about to end. */
  readonly journalFailure?: string;
  /** Answers of ingest by outcome, since the start. */
  readonly batches: ReadonlyMap<string, number>;
  /** Incidents by kind, since the start. */
  readonly incidents: ReadonlyMap<string, number>;
}

export interface ApiParts {
  readonly control: Control;
  readonly store: StoreReader;
  readonly retention: Pick<Retention, "prune">;
  /** For exports that stand on their own. */
  readonly evidence: EvidenceSource;
  readonly events: EventHub;
  readonly webhook: WebhookSender;
  /** For reads that last: a live tail. */
  readonly reads: Pick<ReadAudit, "tail">;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly version: string;
  readonly startedAtMs: number;
  /** SHA-256 of the certificate, when agents are to pin it; part of enrolment keys. */
  readonly fingerprint?: Buffer;
  /** Host of --public-url. */
  readonly publicHost?: string;
  readonly cookie: SessionCookie;
  readonly throttle: SignInThrottle;
  /** Sign-ins under way at the OpenID provider, and the way to ask it. */
  readonly oidc: { readonly flows: FlowCookie; readonly fetch: GuardedFetch };
  /** --public-url, without a slash at the end. */
  readonly publicBase?: string;
  vitals(): Vitals;
  /** How people reach the server, without a slash at the end. */
  baseUrl(): string;
  /** Before what must be answered on a full disk too: the store writes its answers to a file first. */
  makeRoom(): Promise<void>;
}
