/** Keys by which nodes join: made and taken back by people, spent by nodes. */
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { ENROLMENT_ID_BYTES, ENROLMENT_SECRET_BYTES } from "../format/enrolment.ts";
import type { Clock } from "../std/clock.ts";
import type { ChangeWriter } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import { checkKeyRequest, type KeyRequest } from "./key-check.ts";
import { KeyTable, keyState, type StoredKey } from "./key-table.ts";
import {
  DEAD_KEYS_KEPT_MAX,
  DEAD_KEYS_KEPT_MS,
  KEY_TTL_MS_DEFAULT,
  LIVE_KEYS_MAX,
} from "./limits.ts";
import type { Shown } from "./property-changes.ts";
import { secretFits, secretHash } from "./secret.ts";
import type { Who } from "./who.ts";

export interface CreatedKey {
  readonly key: StoredKey;
  /** Shown once; 24 bytes. */
  readonly secret: Buffer;
}

export class EnrolmentKeys {
  readonly #table: KeyTable;
  readonly #writer: ChangeWriter;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, writer: ChangeWriter, clock: Clock) {
    this.#table = new KeyTable(database);
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Newest first. */
  list(): StoredKey[] {
    return this.#table.list();
  }

  /** Throws `bad_ttl`, `bad_tag`, `too_many_keys`, `control_busy`, `control_failed`. */
  async create(request: KeyRequest, who: Who): Promise<CreatedKey> {
    const id = newKeyId();
    const asked = { who, action: "enrolment_key.create", target: targetOf(id) };
    return this.#writer.change(asked, () => {
      checkKeyRequest(request);
      const nowMs = this.#clock.nowMs();
      if (this.#table.countLive(nowMs) >= LIVE_KEYS_MAX) {
        throw new ControlError("too_many_keys", `${LIVE_KEYS_MAX} enrolment keys are usable`);
      }
      const secret = randomBytes(ENROLMENT_SECRET_BYTES);
      const key: StoredKey = {
        id,
        secretHash: secretHash(secret),
        reusable: request.reusable ?? false,
        needsApproval: request.needsApproval ?? false,
        createdAtMs: nowMs,
        createdBy: who.actor.name,
        expiresAtMs: nowMs + (request.ttlMs ?? KEY_TTL_MS_DEFAULT),
        tags: request.tags ?? [],
        uses: 0,
      };
      return {
        parts: [{ after: shown(key) }],
        effects: [this.#table.insertion(key)],
        apply: () => this.#forgetDead(nowMs),
        answer: () => ({ key, secret }),
      };
    });
  }

  #forgetDead(nowMs: number): void {
    this.#table.forgetDead(nowMs - DEAD_KEYS_KEPT_MS);
    this.#table.forgetManyDead(nowMs, DEAD_KEYS_KEPT_MAX);
  }

  /** Throws `unknown_key`, `control_busy`, `control_failed`. Revoking again changes nothing. */
  async revoke(id: string, who: Who): Promise<StoredKey> {
    const known = this.#table.get(id);
    if (known?.revokedAtMs !== undefined) return known;
    const asked = { who, action: "enrolment_key.revoke", target: targetOf(id) };
    return this.#writer.change(asked, () => {
      const key = this.#table.get(id);
      if (key === undefined) {
        throw new ControlError("unknown_key", `no enrolment key has the id ${id}`);
      }
      const revoked = { ...key, revokedAtMs: key.revokedAtMs ?? this.#clock.nowMs() };
      return {
        parts: [{ before: shown(key), after: shown(revoked) }],
        effects: [this.#table.revocation(id, revoked.revokedAtMs)],
        answer: () => revoked,
      };
    });
  }

  /** Throws `bad_enrolment_key`. One answer for every reason: a guesser learns nothing. */
  check(id: string, secret: Uint8Array): StoredKey {
    const key = this.#table.get(id);
    const usable = key !== undefined && keyState(key, this.#clock.nowMs()) === "usable";
    if (usable && secretFits(secret, key.secretHash)) return key;
    throw new ControlError(
      "bad_enrolment_key",
      "the enrolment key is unknown, expired, spent or revoked",
    );
  }

  /** Whether a node that asked by it before may still be let in: its lifetime was for asking. */
  mayLetIn(id: string): boolean {
    const key = this.#table.get(id);
    return key !== undefined && key.revokedAtMs === undefined && (key.reusable || key.uses === 0);
  }

  get table(): KeyTable {
    return this.#table;
  }
}

function targetOf(id: string) {
  return { type: "enrolment_key", id: id.slice(0, 64), name: "" };
}

function shown(key: StoredKey): Shown {
  return {
    reusable: key.reusable,
    needs_approval: key.needsApproval,
    tags: key.tags,
    expires_at: new Date(key.expiresAtMs).toISOString(),
    revoked_at: key.revokedAtMs === undefined ? null : new Date(key.revokedAtMs).toISOString(),
  };
}

/** Never one that a command line takes for an option. */
function newKeyId(): string {
  for (;;) {
    const id = randomBytes(ENROLMENT_ID_BYTES).toString("base64url");
    if (!id.startsWith("-")) return id;
  }
}
