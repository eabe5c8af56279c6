import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualClock } from "../../std/clock.ts";
import { StoreError } from "../../store/store-error.ts";
import { encodeCursor } from "../query/cursor.ts";
import type { ListRequest } from "../query/list-statement.ts";
import type { Row, Statement } from "../query/store-reader.ts";
import { EventHub, type Watch } from "./event-hub.ts";
import type { EventStream, Given } from "./event-stream.ts";
import {
  BEHIND_ROWS_MAX,
  BUFFER_BYTES_MAX,
  HEARTBEAT_MS,
  LATE_MS_MAX,
  RETRY_MS,
} from "./limits.ts";

const ALL: Watch = { topic: "connections" };

interface Asked extends Pick<ListRequest, "limit"> {
  readonly after: number;
  readonly after_id: string;
  readonly last_index: number;
}

/** A store that answers what a follower asks, and counts the questions. */
class World {
  readonly clock = new ManualClock();
  readonly rows: { updated_index: number; connection_id: string; network: string }[] = [];
  isDown = false;
  asked = 0;
  committed = 0;
  journalEnd = 0;
  readonly hub = new EventHub({
    store: { rows: (statement) => this.#answer(statement) as Promise<never[]> },
    nodes: { list: () => [] },
    proposals: { get: () => undefined },
    clock: this.clock,
    committed: () => this.committed,
    journalEnd: () => this.journalEnd,
  });

  /** So many connections in one range of the journal, each `bytes` long. */
  commit(count: number, bytes = 10): void {
    this.committed++;
    this.journalEnd = this.committed;
    for (let at = 0; at < count; at++) {
      const connection_id = String(at).padStart(32, "0");
      const network = "n".repeat(bytes);
      this.rows.push({
        updated_index: this.committed,
        connection_id,
        network,
      });
    }
  }

  async #answer({ text, params }: Statement): Promise<Row[]> {
    if (this.isDown) throw new StoreError("store_unavailable", "down");
    if (/derive_cursor/.test(text)) return [{ committed: this.committed }];
    this.asked++;
    const { after, after_id: afterId, last_index: last, limit } = params as unknown as Asked;
    const found = this.rows.filter(
      ({ updated_index: index, connection_id: id }) =>
        index <= last && (index > after || (index === after && id > afterId)),
    );
    return /count\(\)/.test(text) ? [{ rows: found.length }] : found.slice(0, limit);
  }
}

/** Reads what there is, when told to. */
class Reader {
  readonly ended: Given[] = [];
  readonly #stream: Promise<EventStream>;

  constructor(
    world: World,
    watch: Watch = ALL,
    more: { after?: string; signal?: AbortSignal } = {},
  ) {
    world.hub.reserve(watch, { principal: "p" });
    this.#stream = world.hub.open(watch, { ...more, onEnd: (given) => this.ended.push(given) });
  }

  /** The names of the events, those that repeat as `name × n`; all that come before anybody waits again. */
  async read(): Promise<string[]> {
    const text = await this.text();
    const names = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name = ""]) => name);
    const runs = names.flatMap((name, at) => (names[at - 1] === name ? [] : [at]));
    return runs.map((at, run) => `${names[at]} × ${(runs[run + 1] ?? names.length) - at}`);
  }

  async text(): Promise<string> {
    const { body } = await this.#stream;
    let text = "";
    for (;;) {
      await turns();
      const piece = body.read() as Buffer | null;
      if (piece === null) return text;
      text += piece.toString();
    }
  }
}

/** Long enough for all that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let at = 0; at < 20; at++) await new Promise((resolve) => setImmediate(resolve));
}

describe("live events", () => {
  it("ask once for all that watch the same, and apart for another filter", async () => {
    const world = new World();
    const same = [new Reader(world), new Reader(world), new Reader(world)];
    const other = new Reader(world, { topic: "connections", verdict: ["matched"] });
    for (const reader of [...same, other]) assert.deepEqual(await reader.read(), ["hello × 1"]);
    for (let wake = 1; wake <= 3; wake++) {
      world.commit(2);
      world.hub.wake();
      for (const reader of [...same, other])
        assert.deepEqual(await reader.read(), ["connection × 2"]);
      assert.equal(world.asked, 2 * wake);
    }
  });

  it("are asked for apart by who resumes, until it stands where the others stand", async () => {
    const world = new World();
    world.commit(1_500);
    const live = new Reader(world);
    assert.deepEqual(await live.read(), ["hello × 1"]);
    const after = encodeCursor({ kind: "follow", key: 0, id: "~" });
    const resumed = new Reader(world, ALL, { after });
    assert.deepEqual(await resumed.read(), ["hello × 1", "connection × 1500"]);
    assert.deepEqual(await live.read(), []);
    const { asked } = world;
    world.commit(1);
    world.hub.wake();
    assert.deepEqual(await resumed.read(), ["connection × 1"]);
    assert.deepEqual(await live.read(), ["connection × 1"]);
    assert.equal(world.asked, asked + 1);
  });

  it("say how many a slow reader missed, between which places, and go on from now", async () => {
    const world = new World();
    const [slow, quick] = [new Reader(world), new Reader(world)];
    await slow.read();
    await quick.read();
    const each = 2_000;
    world.clock.advance(10 * LATE_MS_MAX);
    world.commit(BEHIND_ROWS_MAX * 2, each);
    world.hub.wake();
    assert.deepEqual(await quick.read(), [`connection × ${BEHIND_ROWS_MAX * 2}`]);
    world.clock.advance(LATE_MS_MAX + 1);
    world.commit(5);
    world.hub.wake();
    const text = await slow.text();
    assert.ok(text.length < BUFFER_BYTES_MAX + 3 * each, "no more than the buffer was held");
    const given = [...text.matchAll(/^event: connection$/gm)].length;
    const [, said = ""] = /event: dropped\nid: .*\ndata: (.*)/.exec(text) ?? [];
    const { count, from, to } = JSON.parse(said) as { count: number; from: string; to: string };
    assert.equal(given + count, BEHIND_ROWS_MAX * 2 + 5);
    const ids = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
    assert.equal(from, ids.at(-2), "the last that it was given");
    assert.equal(to, encodeCursor({ kind: "follow", key: 2, id: "~" }));
    world.commit(1);
    world.hub.wake();
    assert.deepEqual(await slow.read(), ["connection × 1"]);
    assert.deepEqual(await quick.read(), ["connection × 6"]);
  });

  it("leave nothing out for a reader that is a little late, or only resumes", async () => {
    const world = new World();
    const late = new Reader(world);
    await late.read();
    world.clock.advance(10 * LATE_MS_MAX);
    world.commit(BEHIND_ROWS_MAX, 1_000);
    world.hub.wake();
    await turns();
    world.clock.advance(LATE_MS_MAX + 1);
    assert.deepEqual(await late.read(), [`connection × ${BEHIND_ROWS_MAX}`]);
    world.commit(BEHIND_ROWS_MAX, 1_000);
    const after = encodeCursor({ kind: "follow", key: 0, id: "~" });
    const resumed = new Reader(world, ALL, { after });
    await turns();
    assert.deepEqual(await resumed.read(), ["hello × 1", `connection × ${BEHIND_ROWS_MAX * 2}`]);
  });

  it("stay open while the store is down, say so once, and go on", async () => {
    const world = new World();
    const reader = new Reader(world);
    await reader.read();
    world.isDown = true;
    world.commit(3);
    world.hub.wake();
    assert.deepEqual(await reader.read(), ["waiting × 1"]);
    world.clock.advance(RETRY_MS);
    assert.deepEqual(await reader.read(), []);
    const second = new Reader(world);
    assert.deepEqual(await second.read(), ["hello × 1", "waiting × 1"]);
    world.commit(1);
    world.isDown = false;
    world.clock.advance(RETRY_MS);
    assert.deepEqual(await reader.read(), ["hello × 1", "connection × 4"]);
    assert.deepEqual(await second.read(), ["hello × 1", "connection × 1"]);
  });

  it("show that they live, and notice when nothing becomes searchable any more", async () => {
    const world = new World();
    world.commit(1);
    const reader = new Reader(world);
    await reader.read();
    world.clock.advance(HEARTBEAT_MS);
    assert.match(await reader.text(), /^: heartbeat\nid: \S+\n\n$/);
    world.journalEnd++;
    world.clock.advance(HEARTBEAT_MS);
    assert.match(await reader.text(), /^event: waiting\n/);
    world.commit(1);
    world.hub.wake();
    assert.deepEqual(await reader.read(), ["hello × 1", "connection × 1"]);
  });

  it("end with what they gave, when the server or the right to watch ends", async () => {
    const world = new World();
    const right = new AbortController();
    const readers = [new Reader(world, ALL, { signal: right.signal }), new Reader(world)];
    for (const reader of readers) await reader.read();
    world.commit(2);
    world.hub.wake();
    for (const reader of readers) await reader.read();
    right.abort();
    await turns();
    assert.deepEqual(
      readers.map(({ ended }) => ended.length),
      [1, 0],
    );
    world.hub.close();
    world.hub.close();
    for (const { ended } of readers) {
      assert.deepEqual(
        ended.map(({ rows, dropped }) => [rows, dropped]),
        [[2, 0]],
      );
    }
  });
});
