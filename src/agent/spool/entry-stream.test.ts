/** The stream while its directory is taken away, with a clock that the test holds. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry } from "../../format/entry.ts";
import { decodeEntries, decompressPayload } from "../../format/payload.ts";
import { ManualClock } from "../../std/clock.ts";
import { EntryStream } from "./entry-stream.ts";

interface Rig {
  readonly stream: EntryStream;
  readonly directory: string;
  readonly said: string[];
  readonly emit: (body: string) => void;
}

function rig(): Rig {
  const root = mkdtempSync(join(tmpdir(), "tallystick-stream-"));
  const directory = join(root, "spool");
  const clock = new ManualClock();
  const said: string[] = [];
  const emit = (body: string): void =>
    void stream.emit({ kind: "log", atMs: clock.nowMs(), severity: 9, body, attributes: {} });
  const stream: EntryStream = new EntryStream({
    clock,
    numberingFile: join(root, "numbering"),
    directory,
    bytesMax: 2 ** 24,
    sealedTo: 0,
    completeToMs: () => 0,
    onBody: () => undefined,
    // As the agent does: what it says of it is an entry, too.
    onLost: () => {
      said.push("lost");
      emit("somebody removed the spool");
    },
    onDamage: () => said.push("damage"),
  });
  return { stream, directory, said, emit };
}

function bodies(stream: EntryStream): Entry[][] {
  return [...stream.queue.unsent()].map(({ payload, rawBytes, seqFirst, count }) =>
    decodeEntries(decompressPayload(payload, rawBytes), { seqFirst, entryCount: count }),
  );
}

const words = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => (entry.kind === "log" ? entry.body : entry.kind));

test("a directory that cannot be made anew costs no entry that follows it, and nothing twice", () => {
  const { stream, directory, said, emit } = rig();
  emit("a");
  stream.closeBody();
  rmSync(directory, { recursive: true });
  writeFileSync(directory, "in the way");
  stream.checkSpool();
  emit("b");
  stream.closeBody();
  stream.checkSpool();
  assert.deepEqual(said, []);
  emit("c");
  rmSync(directory);
  stream.checkSpool();
  stream.checkSpool();
  stream.closeBody();
  assert.deepEqual(said, ["lost"]);
  assert.deepEqual(bodies(stream).map(words), [["c", "somebody removed the spool", "gap"]]);
});

test("a body that finds the spool gone when it is full goes whole into the new one, and none is empty", () => {
  const { stream, directory, emit } = rig();
  emit("");
  rmSync(directory, { recursive: true });
  while (stream.queue.isEmpty) emit("x".repeat(1000));
  stream.closeBody();
  const counts = bodies(stream).map(({ length }) => length);
  assert.deepEqual(counts, [stream.nextSeq - 2, 2]);
});
