import assert from "node:assert/strict";
import { test } from "node:test";
import { importCycles, wrongDirections } from "./imports.ts";
import { filesMatching, importsOf, type SourceFile } from "./source-tree.ts";
import { stages } from "./stages.ts";

const ours = filesMatching("{src,bin,demo,bench,scripts,test}/**/*.{ts,tsx}").filter(
  // These hold planted imports as text.
  ({ path }) => !/^test\/tidy\/.*\.test\.ts$/.test(path),
);

test("imports point to earlier stages only", () => {
  assert.deepEqual(wrongDirections(ours, stages), []);
});

test("no file imports itself by way of others", () => {
  assert.deepEqual(importCycles(ours), []);
});

test("what a stranger runs to check evidence knows std, format and evidence alone", () => {
  const reached = reachedFrom("bin/tallystick-verify.ts", ours);
  const allowed =
    /^(?:bin\/tallystick-verify\.ts|src\/(?:std|format|evidence)\/.*|node:.*|package\.json)$/;
  assert.ok(reached.has("src/evidence/verify.ts"));
  assert.deepEqual(
    [...reached].filter((path) => !allowed.test(path)),
    [],
  );
});

test("what describes the API runs in a browser: it reaches no module of Node", () => {
  const files = ours.filter(({ path }) => /^src\/api\/(?!.*\.test\.ts$)/.test(path));
  assert.ok(files.length > 0);
  for (const { path } of files) {
    const ofNode = [...reachedFrom(path, ours)].filter((each) => each.startsWith("node:"));
    assert.deepEqual(ofNode, [], path);
  }
  const file = { path: "src/api/a.ts", text: 'import { b } from "../std/b.ts";' };
  const planted = [file, { path: "src/std/b.ts", text: 'import { c } from "node:fs";' }];
  assert.ok(reachedFrom("src/api/a.ts", planted).has("node:fs"));
});

/** Types are erased, but count too: what they name is meant to be there. */
function reachedFrom(start: string, files: readonly SourceFile[]): Set<string> {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    const file = files.find((one) => one.path === path);
    for (const { to } of file === undefined ? [] : importsOf(file)) visit(to);
  };
  visit(start);
  return reached;
}

const planted: [name: string, path: string, line: string, complaint: RegExp | undefined][] = [
  ["earlier", "src/journal/a.ts", 'import { b } from "../format/b.ts";', undefined],
  ["own folder", "src/std/a.ts", 'import { b } from "./b.ts";', undefined],
  ["later", "src/format/a.ts", 'import { b } from "../journal/b.ts";', /journal comes after/],
  ["std", "src/std/a.ts", 'import { b } from "../format/b.ts";', /format comes after std/],
  ["type", "src/format/a.ts", 'import type { B } from "../store/b.ts";', /store comes after/],
  ["several lines", "src/format/a.ts", 'import {\n  b,\n} from "../store/b.ts";', /store comes/],
  ["re-export", "src/format/a.ts", 'export { b } from "../store/b.ts";', /store comes after/],
  ["dynamic", "src/format/a.ts", 'const b = await import("../store/b.ts");', /store comes/],
  ["effect", "src/format/a.ts", 'import "../store/b.ts";', /store comes after/],
  ["agent inwards", "src/serve/a.ts", 'import { b } from "../agent/b.ts";', /agent runs apart/],
  ["agent outwards", "src/agent/a.ts", 'import { b } from "../ingest/b.ts";', /agent may import/],
  ["console", "src/console/a.tsx", 'import { b } from "../serve/b.ts";', /console may import/],
  ["deep", "src/agent/observe/a.ts", 'import { b } from "../../journal/b.ts";', /agent may/],
  ["bin", "demo/main.ts", 'import { b } from "../bin/b.ts";', /nothing imports it/],
  ["outside", "src/std/a.ts", 'import { b } from "../../test/b.ts";', /nothing outside src/],
  ["a test's fixture", "src/std/a.test.ts", 'import { b } from "../../test/b.ts";', undefined],
  ["package", "src/agent/a.ts", 'import { b } from "fastify";', /Node's own modules alone/],
  ["package in a stage", "src/serve/a.ts", 'import { b } from "fastify";', undefined],
  ["commented", "src/format/a.ts", '// import { b } from "../store/b.ts";', undefined],
  ["new folder", "src/extra/a.ts", "", /is in no stage/],
];

for (const [name, path, text, complaint] of planted) {
  test(`planted import, ${name}: ${complaint === undefined ? "accepted" : "found"}`, () => {
    const found = wrongDirections([{ path, text }], stages);
    assert.equal(found.length, complaint === undefined ? 0 : 1, found.join("\n"));
    if (complaint !== undefined) assert.match(found[0] ?? "", complaint);
  });
}

test("a planted ring of three files is found", () => {
  const ring = [link("a", "b"), link("b", "c"), link("c", "a"), link("d", "a")];
  assert.deepEqual(importCycles(ring), [
    "src/std/a.ts → src/std/b.ts → src/std/c.ts → src/std/a.ts",
  ]);
});

function link(from: string, to: string): SourceFile {
  return { path: `src/std/${from}.ts`, text: `import { x } from "./${to}.ts";` };
}
