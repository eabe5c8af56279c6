import assert from "node:assert/strict";
import { test } from "node:test";
import { reconcileRooms, wrongRooms } from "./rooms.ts";
import { fileAt, filesMatching, type SourceFile } from "./source-tree.ts";

const { stage, order } = reconcileRooms;
const ours = filesMatching(`${stage}/**/*.ts`);

test("rooms of the comparison know only those before them", () => {
  assert.deepEqual(wrongRooms(ours, reconcileRooms), []);
});

function isThere(room: string): boolean {
  return ours.some(({ path }) => `${path}/`.startsWith(`${stage}/${room}/`));
}

test("each room that is listed is there", () => {
  assert.deepEqual(
    order.filter((room) => !isThere(room)),
    [],
  );
});

test("ARCHITECTURE.md says the rooms in their order", () => {
  const row = fileAt("ARCHITECTURE.md")
    .text.split("\n")
    .find((line) => line.startsWith(`| \`${stage}\``));
  const said = [...(row ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  assert.deepEqual(
    said.filter((name) => name !== stage),
    order.filter((room) => !/^(?:hours|limits|record)\.ts$/.test(room)),
  );
});

const planted: [name: string, path: string, line: string, complaint: RegExp | undefined][] = [
  ["earlier", "node/a.ts", 'import { b } from "../half/b.ts";', undefined],
  ["own room", "node/a.ts", 'import { b } from "./clock/b.ts";', undefined],
  ["later", "half/a.ts", 'import { b } from "../node/b.ts";', /node comes after half/],
  ["type", "node/a.ts", 'import type { B } from "../row/b.ts";', /row comes after node/],
  [
    "part",
    "decide/a.ts",
    'import { type B } from "../finding/b.ts";',
    /finding comes after decide/,
  ],
  ["several lines", "match/a.ts", 'import {\n  b,\n} from "../decide/b.ts";', /decide comes after/],
  ["re-export", "node/a.ts", 'export { b } from "../decide/b.ts";', /decide comes after node/],
  ["dynamic", "row/a.ts", 'const b = await import("../derive/b.ts");', /derive comes after row/],
  ["deep", "node/clock/a.ts", 'import { b } from "../../decide/b.ts";', /decide comes after node/],
  ["composition", "row/a.ts", 'import type { B } from "../reconcile.ts";', /reconcile\.ts comes/],
  ["bounds", "half/a.ts", 'import { B } from "../limits.ts";', undefined],
  ["of bounds", "limits.ts", 'import { b } from "./half/b.ts";', /half comes after limits\.ts/],
  ["other stage", "half/a.ts", 'import { b } from "../../store/b.ts";', undefined],
  ["test", "half/a.test.ts", 'import { b } from "../reconcile.ts";', undefined],
  ["commented", "half/a.ts", '// import { b } from "../node/b.ts";', undefined],
  ["new folder", "guess/a.ts", "", /is in no room/],
  ["new file", "guess.ts", "", /is in no room/],
];

for (const [name, path, text, complaint] of planted) {
  test(`planted import, ${name}: ${complaint === undefined ? "accepted" : "found"}`, () => {
    const file: SourceFile = { path: `${stage}/${path}`, text };
    const found = wrongRooms([file], reconcileRooms);
    assert.equal(found.length, complaint === undefined ? 0 : 1, found.join("\n"));
    if (complaint !== undefined) assert.match(found[0] ?? "", complaint);
  });
}
