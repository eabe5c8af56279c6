import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compressPayload, encodeEntries } from "../../format/payload.ts";
import type { Entry } from "../../format/entry.ts";
import type { Body } from "./body.ts";
import { BodyQueue } from "./body-queue.ts";
import type { Loss } from "./pending-gaps.ts";

const fresh = (): string => mkdtempSync(join(tmpdir(), "tallystick-queue-"));
const open = (directory: string, sealedTo = 0, bytesMax = 2 ** 20): BodyQueue =>
  BodyQueue.open({ directory, sealedTo, bytesMax });

/** `count` entries from `seqFirst`, whose times are their numbers. */
function body(seqFirst: number, count: number, flags = 0): Body {
  const entries = Array.from({ length: count }, (_, at): Entry => {
    return { kind: "log", atMs: seqFirst + at, severity: 9, body: "x", attributes: {} };
  });
  const raw = encodeEntries(entries, seqFirst);
  const lastAtMs = seqFirst + count - 1;
  const times = { firstAtMs: seqFirst, lastAtMs, endAtMs: lastAtMs };
  const moment = { closedAtMs: lastAtMs, completeToMs: 0, bootAtMs: 0 };
  const payload = compressPayload(raw);
  return { seqFirst, count, ...times, ...moment, rawBytes: raw.length, flags, payload };
}

function drain(queue: BodyQueue): string[] {
  const all: string[] = [];
  for (let taken = queue.take(); taken !== undefined; taken = queue.take()) {
    all.push(`${taken.content.seqFirst}+${taken.content.count}`);
    queue.release(taken);
    queue.prune();
  }
  return all;
}

test("neighbours are taken together, a body with flags and one after a hole alone", () => {
  const queue = open(fresh());
  queue.append(body(0, 10));
  queue.append(body(10, 5));
  queue.append(body(15, 1, 4));
  queue.append(body(16, 4));
  queue.append(body(100, 2));
  assert.equal(queue.entries, 22);
  assert.deepEqual(drain(queue), ["0+15", "15+1", "16+4", "100+2"]);
  assert.ok(queue.isEmpty);
  assert.equal(queue.nextSeq, 102);
});

test("the next process finds what was not sealed, and only that", () => {
  const directory = fresh();
  const first = open(directory);
  for (const seq of [0, 10, 20]) first.append(body(seq, 10, 4));
  first.close();
  const second = open(directory, 20);
  assert.equal(second.entries, 10);
  assert.equal(second.nextSeq, 30);
  assert.deepEqual(drain(second), ["20+10"]);
});

test("past its bound it drops the oldest and says exactly what: sent or dropped, never both", () => {
  for (const releaseEvery of [3, 7, 1000]) {
    const queue = open(fresh(), 0, 40_000);
    const sent: number[] = [];
    const dropped: Loss[] = [];
    for (let seq = 0; seq < 6000; seq += 10) {
      dropped.push(...queue.append(body(seq, 10, 4)));
      const taken = (seq / 10) % releaseEvery === 0 ? queue.take() : undefined;
      if (taken === undefined) continue;
      sent.push(taken.content.seqFirst);
      queue.release(taken);
      queue.prune();
    }
    for (let taken = queue.take(); taken !== undefined; taken = queue.take()) {
      sent.push(taken.content.seqFirst);
      queue.release(taken);
    }
    const lost = dropped.reduce((sum, { count }) => sum + (count ?? 0), 0);
    assert.equal(sent.length * 10 + lost, 6000, `released every ${releaseEvery}`);
    const isDeclared = (seq: number): boolean =>
      dropped.some(({ seqs = [0, -1] }) => seqs[0] <= seq && seq <= seqs[1]);
    for (let seq = 0; seq < 6000; seq += 10) {
      assert.notEqual(sent.includes(seq), isDeclared(seq), `${seq}`);
    }
    assert.ok(queue.bytes <= 40_000);
  }
});

test("what was released stays on disk until it is pruned", () => {
  const directory = fresh();
  const queue = open(directory);
  queue.append(body(0, 10));
  const taken = queue.take();
  assert.ok(taken !== undefined);
  queue.release(taken);
  queue.close();
  assert.deepEqual(drain(open(directory)), ["0+10"]);
});

/** Files of three bodies each: 0+10, 10+10, … */
function filled(directory: string, losses: Loss[], count = 12): BodyQueue {
  const queue = reopened(directory, losses);
  for (let at = 0; at < count; at++) queue.append(body(at * 10, 10, 4));
  return queue;
}

function reopened(directory: string, losses: Loss[], sealedTo = 0): BodyQueue {
  const onDamage = (loss: Loss): void => void losses.push(loss);
  return BodyQueue.open({ directory, bytesMax: 8 * 800, sealedTo, onDamage });
}

/** Turns over a byte in the middle of a file. */
function damage(directory: string, name: string): void {
  const fd = openSync(join(directory, name), "r+");
  writeSync(fd, Buffer.from("damaged"), 0, 7, Math.floor(statSync(join(directory, name)).size / 2));
  closeSync(fd);
}

test("damaged bytes are a loss by number, whether they are found by a start or while sending", () => {
  for (const isRestart of [true, false]) {
    for (const which of [0, 1, -1]) {
      const [directory, losses] = [fresh(), [] as Loss[]];
      let queue = filled(directory, losses);
      const files = readdirSync(directory).sort((a, b) => Number(a.slice(7)) - Number(b.slice(7)));
      assert.ok(files.length >= 3);
      damage(directory, files.at(which) ?? "");
      if (isRestart) {
        queue.close();
        queue = reopened(directory, losses);
      }
      queue.followedBy(body(120, 10), 0);
      queue.append(body(120, 10, 4));
      const sent = drain(queue).map((text) => Number(text.split("+")[0]));
      const lost = Array.from({ length: 13 }, (_, at) => at * 10).filter(
        (seq) => !sent.includes(seq),
      );
      assert.ok(lost.length > 0 && lost.length < 4, lost.join(" "));
      const [loss] = losses;
      assert.equal(losses.length, 1);
      const cause = isRestart && which === -1 ? "restart" : "lost";
      assert.partialDeepStrictEqual(loss, { cause, count: null });
      assert.deepEqual(loss?.seqs, [lost[0], (lost.at(-1) ?? 0) + 9]);
      assert.ok((loss?.fromMs ?? Infinity) <= (lost[0] ?? 0));
      assert.ok((loss?.toMs ?? 0) >= (lost.at(-1) ?? 0) + 9);
    }
  }
});

test("damage in what was sealed already is no loss", () => {
  const [directory, losses] = [fresh(), [] as Loss[]];
  filled(directory, losses).close();
  damage(directory, "bodies-0");
  assert.equal(drain(reopened(directory, losses, 60))[0], "60+10");
  assert.deepEqual(losses, []);
});
