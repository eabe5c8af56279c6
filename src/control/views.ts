/** Saved views: what somebody looks at again and again, for themselves or for all. */
import { randomBytes } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { VIEW_TOPICS, type ViewTopic } from "../api/views.ts";
import type { Target } from "../format/entry.ts";
import type { Clock } from "../std/clock.ts";
import type { ChangeWriter } from "./change-writer.ts";
import { ControlError } from "./control-error.ts";
import { VIEWS_PER_OWNER_MAX } from "./limits.ts";
import type { Shown } from "./property-changes.ts";
import { ownerOf, type Who } from "./who.ts";

/** What a person says of a view. */
export interface ViewContent {
  readonly name: string;
  readonly topic: ViewTopic;
  /** In the query language; checked by whoever knows the topic's fields. */
  readonly query: string;
  /** Columns, range and the like, as the console wants them back. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Everybody sees it. */
  readonly shared: boolean;
}

export interface SavedView extends ViewContent {
  readonly id: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly createdAtMs: number;
}

export class Views {
  readonly #database: DatabaseSync;
  readonly #writer: ChangeWriter;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, writer: ChangeWriter, clock: Clock) {
    this.#database = database;
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Own ones and shared ones, by name. */
  list(ownerId: string): SavedView[] {
    return this.#database
      .prepare("SELECT * FROM views WHERE owner_id = ? OR shared = 1 ORDER BY lower(name), id")
      .all(ownerId)
      .map(viewOf);
  }

  /** Throws `too_many_views`, `view_name_taken`, `control_busy`, `control_failed`. */
  async create(content: ViewContent, who: Who): Promise<SavedView> {
    const id = randomBytes(6).toString("hex");
    const asked = { who, action: "view.create", target: targetOf({ id, name: content.name }) };
    return this.#writer.change(asked, () => {
      const owner = ownerOf(who);
      this.#checkName(content.name, owner.id, id);
      if (this.#count(owner.id) >= VIEWS_PER_OWNER_MAX) {
        throw new ControlError("too_many_views", `${VIEWS_PER_OWNER_MAX} views are saved`);
      }
      const view = {
        ...content,
        id,
        ownerId: owner.id,
        ownerName: owner.name,
        createdAtMs: this.#clock.nowMs(),
      };
      return {
        parts: [{ after: shown(view) }],
        effects: [{ do: "insert", table: "views", row: { id, ...rowOf(view), ...ownerRow(view) } }],
        answer: () => view,
      };
    });
  }

  /** Whose it is may change it, and nobody else. Throws `unknown_view`, `view_name_taken` and as `create`. */
  async update(id: string, update: Partial<ViewContent>, who: Who): Promise<SavedView> {
    const asked = { who, action: "view.update", target: this.#target(id, who) };
    return this.#writer.change(asked, () => {
      const view = this.#own(id, who);
      const changed = { ...view, ...update };
      if (isDeepStrictEqual(view, changed)) return { unchanged: view };
      this.#checkName(changed.name, ownerOf(who).id, id);
      return {
        parts: [{ before: shown(view), after: shown(changed) }],
        effects: [{ do: "update", table: "views", key: { id }, set: rowOf(changed) }],
        answer: () => changed,
      };
    });
  }

  /** Throws `unknown_view` and as `create`. */
  async remove(id: string, who: Who): Promise<void> {
    const asked = { who, action: "view.delete", target: this.#target(id, who) };
    return this.#writer.change(asked, () => ({
      parts: [{ before: shown(this.#own(id, who)) }],
      effects: [{ do: "delete", table: "views", key: { id } }],
      answer: () => undefined,
    }));
  }

  /** One answer for what is not there and what is somebody else's. */
  #own(id: string, who: Who): SavedView {
    const view = this.#find(id);
    const owner = ownerOf(who);
    if (view?.ownerId === owner.id) return view;
    throw new ControlError("unknown_view", `${owner.name} has no view ${id.slice(0, 64)}`);
  }

  #target(id: string, who: Who): Target {
    const view = this.#find(id);
    const isTheirs = view !== undefined && view.ownerId === ownerOf(who).id;
    return isTheirs ? targetOf(view) : targetOf({ id: id.slice(0, 64), name: "" });
  }

  #find(id: string): SavedView | undefined {
    const row = this.#database.prepare("SELECT * FROM views WHERE id = ?").get(id);
    return row === undefined ? undefined : viewOf(row);
  }

  #checkName(name: string, ownerId: string, id: string): void {
    const other = this.#database
      .prepare("SELECT 1 FROM views WHERE owner_id = ? AND lower(name) = lower(?) AND id != ?")
      .get(ownerId, name, id);
    if (other !== undefined)
      throw new ControlError("view_name_taken", `another view is named ${name}`);
  }

  #count(ownerId: string): number {
    const row = this.#database
      .prepare("SELECT count(*) AS views FROM views WHERE owner_id = ?")
      .get(ownerId);
    return Number(row?.["views"] ?? 0);
  }
}

function targetOf({ id, name }: Pick<SavedView, "id" | "name">): Target {
  return { type: "view", id, name };
}

function shown({ name, topic, query, settings, shared }: ViewContent): Shown {
  return { name, topic, query, settings, shared };
}

function rowOf({ name, topic, query, settings, shared }: ViewContent) {
  return { name, topic, query, settings: JSON.stringify(settings), shared: Number(shared) };
}

function ownerRow({ ownerId, ownerName, createdAtMs }: SavedView) {
  return { owner_id: ownerId, owner_name: ownerName, created_at_ms: createdAtMs };
}

function viewOf(row: Record<string, SQLOutputValue>): SavedView {
  return {
    id: String(row["id"]),
    name: String(row["name"]),
    topic: VIEW_TOPICS.find((topic) => topic === row["topic"]) ?? "connections",
    query: String(row["query"]),
    settings: JSON.parse(String(row["settings"])) as Record<string, unknown>,
    shared: row["shared"] === 1,
    ownerId: String(row["owner_id"]),
    ownerName: String(row["owner_name"]),
    createdAtMs: Number(row["created_at_ms"]),
  };
}
