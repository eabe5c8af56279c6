/**
 * Who takes part. A node's coming and going are entries of their own in the journal, from which a lost
 * file is made again; what people call it, and whose it is, stands in the tables alone.
 */
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { isNodeName } from "../format/enrolment.ts";
import type { EnrolledEntry, RevokedEntry, Target } from "../format/entry.ts";
import { nodeIdOf } from "../format/identity.ts";
import { NAME_CHARS_MAX } from "../format/limits.ts";
import type { Clock } from "../std/clock.ts";
import type { ChangeWriter, Plan, Planned } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import type { Effect } from "./effect.ts";
import type { EnrolmentKeys } from "./enrolment-keys.ts";
import { transaction } from "./database.ts";
import { checkTags } from "./key-check.ts";
import {
  NODES_MAX,
  OWNER_CHARS_MAX,
  PAST_OWNERS_KEPT_MS,
  WAITING_NODES_KEPT_MS,
  WAITING_NODES_MAX,
} from "./limits.ts";
import { type ControlNode, NodeTable } from "./node-table.ts";
import type { Shown } from "./property-changes.ts";
import { applyEntry } from "./replay.ts";
import { type WaitingNode, WaitingNodes } from "./waiting-nodes.ts";
import type { Who } from "./who.ts";

export interface NodesOptions {
  readonly clock: Clock;
  readonly writer: ChangeWriter;
  readonly keys: EnrolmentKeys;
  /**
   * Called when the node already counts as revoked for admission: resolves when no batch of it is
   * between check and journal, with where its chain ended.
   */
  chainEnd(nodeId: string): Promise<{ readonly epoch: number; readonly batches: number }>;
}

/** As ingest checked it: the name is one, and the sender has proven that it holds the private key. */
export interface EnrolmentRequest {
  readonly keyId: Uint8Array;
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly name: string;
  /** Where it came from, canonical. */
  readonly address: string;
}

/** What people may change of a node; what is absent stays. */
export interface NodeUpdate {
  readonly name?: string;
  readonly owner?: string;
  readonly tags?: readonly string[];
}

export class Nodes {
  readonly #options: NodesOptions;
  readonly #database: DatabaseSync;
  readonly #table: NodeTable;
  readonly #waiting: WaitingNodes;
  readonly #revoking = new Set<string>();

  constructor(database: DatabaseSync, options: NodesOptions) {
    this.#options = options;
    this.#database = database;
    this.#table = new NodeTable(database);
    this.#waiting = new WaitingNodes(database);
  }

  get table(): NodeTable {
    return this.#table;
  }

  /** Synchronous: admission asks for every batch. A node that is being revoked is revoked already. */
  get(id: string): ControlNode | undefined {
    const node = this.#table.get(id);
    return node !== undefined && this.#revoking.has(id) ? { ...node, state: "revoked" } : node;
  }

  list(): ControlNode[] {
    return this.#table.list();
  }

  /** By id, or by the name of an active node, or else of a revoked one. Throws `unknown_node`. */
  find(idOrName: string): ControlNode {
    const node = this.#lookFor(idOrName);
    if (node !== undefined) return node;
    throw new ControlError("unknown_node", `no node has the name or id ${idOrName}`);
  }

  /**
   * Lets a node in. The same public key again gives the same answer, whatever became of the
   * enrolment key. Throws `bad_enrolment_key`, `revoked_key`, `name_taken`, `too_many_nodes`,
   * `control_busy`, `control_failed`.
   */
  async enrol(request: EnrolmentRequest): Promise<ControlNode> {
    const id = nodeIdOf(request.publicKey).toString("hex");
    const known = this.get(id);
    if (known?.state === "active") return known;
    // It asks again and again: that it waits is on record already.
    if (known === undefined && this.#waiting.get(id) !== undefined)
      throw approvalNeeded(request.name);
    const { name, address } = request;
    const actor = { type: "node", id, name } as const;
    const asked = {
      who: { actor, address, origin: "agent" } as const,
      action: "node.enrol",
      target: targetOf({ id, name }),
    };
    const node = await this.#options.writer.change(asked, () => this.#enrolment(id, request));
    if (node === undefined) throw approvalNeeded(name);
    return node;
  }

  /** Longest waiting first. */
  waiting(): WaitingNode[] {
    return this.#waiting.list();
  }

  /**
   * Lets in a node that asked by a key that needs approval; it hears of it when it asks again. Throws
   * `unknown_node`, `bad_enrolment_key`, `name_taken`, `too_many_nodes`, `control_busy`, `control_failed`.
   */
  async approve(idOrName: string, who: Who): Promise<ControlNode> {
    const asked = { who, action: "node.approve", target: this.#waitingTarget(idOrName) };
    return this.#options.writer.change(asked, () => {
      const waiting = this.#findWaiting(idOrName);
      if (!this.#options.keys.mayLetIn(waiting.enrolmentKey)) {
        const detail = `the key ${waiting.enrolmentKey} of ${waiting.name} is spent or revoked`;
        throw new ControlError("bad_enrolment_key", detail);
      }
      const plan = this.#joining(waiting);
      return { ...plan, effects: [this.#waiting.removal(waiting.id)] };
    });
  }

  /** Turns away a node that waits; it may ask again. Throws `unknown_node`, `control_busy`, `control_failed`. */
  async reject(idOrName: string, who: Who): Promise<WaitingNode> {
    const asked = { who, action: "node.reject", target: this.#waitingTarget(idOrName) };
    return this.#options.writer.change(asked, () => {
      const waiting = this.#findWaiting(idOrName);
      const { name, address } = waiting;
      return {
        parts: [{ before: { name, state: "waiting", address } }],
        effects: [this.#waiting.removal(waiting.id)],
        answer: () => waiting,
      };
    });
  }

  /** Throws `unknown_node`, `name_taken`, `bad_name`, `bad_owner`, `bad_tag`, `control_busy`, `control_failed`. */
  async update(idOrName: string, update: NodeUpdate, who: Who): Promise<ControlNode> {
    const asked = { who, action: "node.update", target: this.#target(idOrName) };
    return this.#options.writer.change(asked, () => {
      const node = this.find(idOrName);
      const { id } = node;
      const { tags = node.tags, owner = node.owner, name: newName = node.name } = update;
      const after = { name: newName, owner, tags };
      this.#checkUpdate(node, after);
      if (isDeepStrictEqual(shown(node), shown({ ...node, ...after }))) return { unchanged: node };
      return {
        parts: [{ before: shown(node), after: shown({ ...node, ...after }) }],
        effects: [this.#table.update(id, after), ...this.#ownerEnds(node, owner)],
        apply: () => this.#table.reload(id),
        answer: () => this.find(id),
      };
    });
  }

  /** Whose it is, and whose it was in the last 90 days: giving it away for a moment makes nobody impartial. */
  owners({ id, owner }: ControlNode): string[] {
    const sinceMs = this.#options.clock.nowMs() - PAST_OWNERS_KEPT_MS;
    const past = this.#database
      .prepare("SELECT owner FROM past_owners WHERE node_id = ? AND ended_at_ms >= ?")
      .all(id, sinceMs);
    return [owner, ...past.map((row) => String(row["owner"]))].filter((name) => name !== "");
  }

  #ownerEnds({ id, owner }: ControlNode, next: string): Effect[] {
    if (owner === "" || owner === next) return [];
    const row = { node_id: id, owner, ended_at_ms: this.#options.clock.nowMs() };
    return [{ do: "insert", table: "past_owners", row }];
  }

  /** Throws `unknown_node`, `already_revoked`, `control_busy`, `control_failed`. */
  async revoke(idOrName: string, who: Who): Promise<ControlNode> {
    const asked = { who, action: "node.revoke", target: this.#target(idOrName) };
    return this.#options.writer.change(asked, () => this.#revocation(this.find(idOrName)));
  }

  /** At the start: what the journal says of nodes. Idempotent. */
  replay(entry: EnrolledEntry | RevokedEntry): void {
    transaction(this.#database, () => this.#apply(entry));
  }

  #apply(entry: EnrolledEntry | RevokedEntry): void {
    applyEntry(this.#table, this.#options.keys.table, entry);
  }

  /** Undefined: it waits. */
  #enrolment(id: string, request: EnrolmentRequest): Planned<ControlNode | undefined> {
    const known = this.#known(id);
    if (known !== undefined) return { unchanged: known };
    const keyId = Buffer.from(request.keyId).toString("base64url");
    const key = this.#options.keys.check(keyId, request.secret);
    const asking: WaitingNode = {
      id,
      name: request.name,
      publicKey: Buffer.from(request.publicKey).toString("base64url"),
      enrolmentKey: keyId,
      address: request.address,
      askedAtMs: this.#options.clock.nowMs(),
    };
    return key.needsApproval ? this.#waitingPlan(asking) : this.#joining(asking);
  }

  #waitingPlan(asking: WaitingNode): Planned<undefined> {
    this.#checkName(asking.name);
    this.#waiting.forgetOld(asking.askedAtMs - WAITING_NODES_KEPT_MS);
    if (this.#waiting.list().length >= WAITING_NODES_MAX) {
      throw new ControlError("too_many_nodes", `${WAITING_NODES_MAX} nodes wait for approval`);
    }
    const after = { name: asking.name, state: "waiting", address: asking.address };
    return {
      parts: [{ after, facts: { enrolmentKey: asking.enrolmentKey } }],
      effects: [this.#waiting.insertion(asking)],
      answer: () => undefined,
    };
  }

  #joining({ id, name, publicKey, enrolmentKey }: WaitingNode): Plan<ControlNode> {
    this.#checkName(name);
    if (this.#table.size >= NODES_MAX) {
      throw new ControlError("too_many_nodes", `${NODES_MAX} nodes are enrolled`);
    }
    const atMs = this.#options.clock.nowMs();
    const entry: EnrolledEntry = {
      kind: "enrolled",
      atMs,
      node: id,
      name,
      publicKey,
      enrolmentKey,
    };
    const tags = this.#options.keys.table.get(enrolmentKey)?.tags ?? [];
    return {
      parts: [{ after: { name, tags, state: "active" }, facts: { enrolmentKey } }],
      effects: [],
      entries: [entry],
      apply: () => this.#apply(entry),
      answer: () => this.find(id),
    };
  }

  async #revocation(node: ControlNode): Promise<Planned<ControlNode>> {
    checkActive(node);
    const { id } = node;
    this.#revoking.add(id);
    const { epoch, batches } = await this.#options.chainEnd(id).catch((error: unknown) => {
      this.#revoking.delete(id);
      throw error;
    });
    const entry: RevokedEntry = {
      kind: "revoked",
      atMs: this.#options.clock.nowMs(),
      node: id,
      epoch,
      // −1 for a node that never sent anything.
      lastBatch: batches - 1,
    };
    return {
      parts: [{ before: shown(node), after: shown({ ...node, state: "revoked" }) }],
      effects: [],
      entries: [entry],
      apply: () => this.#apply(entry),
      answer: () => this.find(id),
      afterwards: () => this.#revoking.delete(id),
    };
  }

  /** Also of a node that is not there: the attempt is on record. */
  #target(idOrName: string): Target {
    return targetOf(this.#lookFor(idOrName) ?? { id: "", name: idOrName.slice(0, NAME_CHARS_MAX) });
  }

  #findWaiting(idOrName: string): WaitingNode {
    const waiting = this.#waiting.find(idOrName);
    if (waiting !== undefined) return waiting;
    throw new ControlError("unknown_node", `no node waits that has the name or id ${idOrName}`);
  }

  #waitingTarget(idOrName: string): Target {
    const name = idOrName.slice(0, NAME_CHARS_MAX);
    return targetOf(this.#waiting.find(idOrName) ?? { id: "", name });
  }

  #lookFor(idOrName: string): ControlNode | undefined {
    const table = this.#table;
    return table.get(idOrName) ?? table.active(idOrName) ?? table.revoked(idOrName);
  }

  #known(id: string): ControlNode | undefined {
    const node = this.get(id);
    if (node?.state !== "revoked") return node;
    throw new ControlError("revoked_key", `the key of node ${node.name} was revoked`);
  }

  #checkName(name: string): void {
    if (this.#table.active(name) === undefined) return;
    throw new ControlError("name_taken", `another active node is named ${name}`);
  }

  #checkUpdate(node: ControlNode, { name, owner, tags = [] }: NodeUpdate): void {
    checkTags(tags);
    if (owner !== undefined && owner.length > OWNER_CHARS_MAX) {
      throw new ControlError("bad_owner", `an owner has at most ${OWNER_CHARS_MAX} characters`);
    }
    if (name === undefined || name === node.name) return;
    if (!isNodeName(name)) {
      throw new ControlError("bad_name", `${JSON.stringify(name.slice(0, 80))} is no node's name`);
    }
    const other = this.#table.active(name);
    if (other !== undefined && other.id !== node.id) this.#checkName(name);
  }
}

function approvalNeeded(name: string): ControlError {
  return new ControlError("approval_needed", `${name} waits until an administrator lets it in`);
}

function checkActive({ name, id, state, revoked }: ControlNode): void {
  if (state === "active") return;
  const at = new Date(revoked?.atMs ?? 0).toISOString();
  throw new ControlError("already_revoked", `node ${name} (${id}) since ${at}`);
}

function targetOf({ id, name }: Pick<ControlNode, "id" | "name">): Target {
  return { type: "node", id, name };
}

function shown({ name, owner, tags, state }: ControlNode): Shown {
  return { name, owner, tags, state };
}
