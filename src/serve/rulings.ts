/**
 * A person's word about a finding: checked against what is found, journaled, and answered when it is
 * durable. The store shows it a moment later; the same words again change nothing, also in between.
 */
import type { Control } from "../control/control.ts";
import type { Proposal } from "../control/proposals.ts";
import type { Shown } from "../control/property-changes.ts";
import { ownerOf, type Who } from "../control/who.ts";
import type { Ruling, RulingEntry, Target } from "../format/entry.ts";
import { AUDIT_TEXT_CHARS_MAX, EXCUSE_MS_MAX, RULING_ACTOR_CHARS_MAX } from "../format/limits.ts";
import type { Clock } from "../std/clock.ts";
import { parseTime } from "../std/duration.ts";
import { ServeError } from "./serve-error.ts";

/** A finding as the API answers it. */
export interface RuledFinding {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly ruled_by: string;
  readonly ruled_until: string | null;
  readonly journal_index: number;
  readonly [column: string]: unknown;
}

export interface RulingRequest {
  readonly id: string;
  readonly ruling: Ruling;
  readonly reason: string;
  /** ISO 8601. */
  readonly expiresAt?: string;
  readonly who: Who;
  /** Who asks, or whose token does; absent: the administrator's token. */
  readonly user?: Person;
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface RulingParts {
  readonly clock: Clock;
  /** Everything below this journal index is in the store. */
  committed(): number;
  /** As the store has it. Throws `unknown_finding`, `store_unavailable`. */
  find(id: string): Promise<RuledFinding>;
  /** Throws `control_busy`, `control_failed`. */
  readonly control: Pick<Control, "record" | "nodes" | "proposals">;
}

/** The state that a ruling gives. */
const STATE = { excused: "excused", acknowledged: "acknowledged", reopened: "open" } as const;

const ACTION = {
  excused: "finding.excuse",
  acknowledged: "finding.acknowledge",
  reopened: "finding.reopen",
} as const satisfies Readonly<Record<Ruling, string>>;

export class Rulings {
  readonly #parts: RulingParts;
  /** What is durable and not searchable yet. */
  readonly #recent = new Map<string, RuledFinding>();

  constructor(parts: RulingParts) {
    this.#parts = parts;
  }

  /** The finding as it is now. Throws `bad_expiry`, `finding_resolved`, `finding_open` and the errors of its parts. */
  async rule(request: RulingRequest): Promise<RuledFinding> {
    const atMs = this.#parts.clock.nowMs();
    const expiresAtMs = expiryOf(request, atMs);
    const before = await this.#find(request.id);
    if (before.state === "resolved") {
      const detail = `${request.id}: ${String(before["title"]).slice(0, 200)}`;
      throw new ServeError("finding_resolved", detail);
    }
    if (isSame(before, request)) return before;
    if (before.state === "open" && request.ruling === "reopened") {
      throw new ServeError(
        "finding_open",
        `${request.id}: ${String(before["title"]).slice(0, 200)}`,
      );
    }
    const needsSecond = request.ruling !== "reopened" && this.#isTheirs(before, request.user);
    return needsSecond
      ? this.#propose(before, request, expiresAtMs)
      : this.#commit(before, {
          ...request,
          atMs,
          ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
        });
  }

  /**
   * A second person says so too, and the proposal counts. Throws `nothing_to_confirm`,
   * `second_person_needed`, and as `rule`.
   */
  async confirm(
    id: string,
    { who, user }: Pick<RulingRequest, "who" | "user">,
  ): Promise<RuledFinding> {
    const before = await this.#find(id);
    const proposal = this.#parts.control.proposals.get(id);
    if (proposal === undefined || before.state === "resolved") {
      throw new ServeError("nothing_to_confirm", `${id}: nobody proposed anything that waits`);
    }
    if (user?.id === proposal.userId || this.#isTheirs(before, user)) {
      const detail = `${who.actor.name} proposed it, or owns a node that it is about`;
      throw new ServeError("second_person_needed", detail);
    }
    const { ruling, reason, expiresAtMs, userName } = proposal;
    const atMs = this.#parts.clock.nowMs();
    const lasting = expiresAtMs ?? expiryOf({ ruling }, atMs);
    const more = lasting === undefined ? {} : { expiresAtMs: lasting };
    return this.#commit(before, { id, ruling, reason, who, atMs, proposedBy: userName, ...more });
  }

  /** The finding is about a node that is or was theirs: as an end, a witness or otherwise. */
  #isTheirs(finding: RuledFinding, user: Person | undefined): boolean {
    if (user === undefined) return false;
    const evidence = JSON.stringify(finding["evidence"] ?? {});
    const name = user.name.toLowerCase();
    const { nodes } = this.#parts.control;
    return nodes
      .list()
      .filter((node) => node.name === finding["node"] || evidence.includes(JSON.stringify(node.id)))
      .some((node) => nodes.owners(node).some((owner) => owner.toLowerCase() === name));
  }

  #propose(
    before: RuledFinding,
    { id, ruling, reason, who, user }: RulingRequest,
    expiresAtMs: number | undefined,
  ): Promise<RuledFinding> {
    const { control, clock } = this.#parts;
    const asked = { who, action: "finding.propose", target: targetOf(before) };
    return control.record(asked, () => {
      const known = control.proposals.get(id);
      const proposal: Proposal = {
        findingId: id,
        ruling: ruling === "acknowledged" ? "acknowledged" : "excused",
        reason,
        userId: user?.id ?? "",
        userName: user?.name ?? "",
        atMs: clock.nowMs(),
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      };
      return {
        parts: [{ before: proposed(known), after: proposed(proposal) }],
        effects: control.proposals.put(proposal),
        answer: () => before,
      };
    });
  }

  #commit(before: RuledFinding, said: Said): Promise<RuledFinding> {
    const { id, ruling, reason, who, atMs, expiresAtMs, proposedBy } = said;
    const { control } = this.#parts;
    const actor = shownActor(who);
    const entry: RulingEntry = { kind: "ruling", atMs, finding: id, ruling, reason, actor };
    const after = {
      ...before,
      state: STATE[ruling],
      reason,
      ruled_by: actor,
      ruled_until: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
    };
    const asked = { who, action: ACTION[ruling], target: targetOf(before) };
    return control.record(asked, () => ({
      parts: [
        {
          before: shown(before),
          after: shown(after),
          ...(proposedBy === undefined ? {} : { facts: { proposedBy } }),
        },
      ],
      // Whatever was proposed is overtaken.
      effects: control.proposals.remove(id),
      entries: [expiresAtMs === undefined ? entry : { ...entry, expiresAtMs }],
      answer: ({ index }) => {
        const ruled = { ...after, journal_index: index };
        this.#recent.set(id, ruled);
        return ruled;
      },
    }));
  }

  async #find(id: string): Promise<RuledFinding> {
    // Asked first: what is below it is there for the question that follows.
    const committed = this.#parts.committed();
    for (const [each, { journal_index }] of this.#recent) {
      if (journal_index < committed) this.#recent.delete(each);
    }
    const stored = await this.#parts.find(id);
    const recent = this.#recent.get(id);
    return recent !== undefined && recent.journal_index > stored.journal_index ? recent : stored;
  }
}

/** A ruling that counts. */
interface Said extends Pick<RulingRequest, "id" | "ruling" | "reason" | "who"> {
  /** What its end was counted from. */
  readonly atMs: number;
  readonly expiresAtMs?: number;
  readonly proposedBy?: string;
}

/** `ada/night shift`; of a token whose name is too long for an entry only whose it is. The audit has both. */
function shownActor(who: Who): string {
  const { name } = who.actor;
  return (name.length <= RULING_ACTOR_CHARS_MAX ? name : ownerOf(who).name).slice(
    0,
    RULING_ACTOR_CHARS_MAX,
  );
}

function targetOf(finding: RuledFinding): Target {
  const name = String(finding["title"]).slice(0, AUDIT_TEXT_CHARS_MAX);
  return { type: "finding", id: finding.id, name };
}

function proposed(proposal: Proposal | undefined): Shown {
  if (proposal === undefined) return {};
  const { ruling, reason, expiresAtMs } = proposal;
  const until = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
  return { proposed: ruling, reason, until };
}

function shown({ state, reason, ruled_until }: RuledFinding): Shown {
  return { state, reason, ruled_until };
}

/** The end of the ruling; an excuse always has one. */
function expiryOf(
  { ruling, expiresAt }: Pick<RulingRequest, "ruling" | "expiresAt">,
  nowMs: number,
): number | undefined {
  if (expiresAt === undefined) return ruling === "excused" ? nowMs + EXCUSE_MS_MAX : undefined;
  const atMs = /^\d{4}-/.test(expiresAt) ? parseTime(expiresAt, nowMs) : undefined;
  if (ruling === "reopened") throw new ServeError("bad_expiry", "reopening has no end");
  if (atMs === undefined) {
    throw new ServeError("bad_expiry", `${expiresAt} is no time, write 2026-03-01T08:30Z`);
  }
  if (atMs <= nowMs) throw new ServeError("bad_expiry", `${expiresAt} is past`);
  if (atMs > nowMs + EXCUSE_MS_MAX) {
    throw new ServeError("bad_expiry", `${expiresAt} is more than 90 days away`);
  }
  return atMs;
}

/** An end that was not asked for is no other word. */
function isSame(
  before: RuledFinding,
  { ruling, reason, expiresAt }: Pick<RulingRequest, "ruling" | "reason" | "expiresAt">,
): boolean {
  if (before.state !== STATE[ruling]) return false;
  // Open because of these words, and not for another reason.
  if (ruling === "reopened") return before.reason === reason;
  const { ruled_until: until } = before;
  const isSameEnd =
    expiresAt === undefined
      ? ruling === "excused" || until === null
      : until !== null && Date.parse(until) === parseTime(expiresAt, 0);
  return before.reason === reason && isSameEnd;
}
