import assert from "node:assert/strict";
import { test } from "node:test";
import { badFileNames, numbersWithoutUnit, undocumentedExports } from "./names.ts";
import { filesMatching } from "./source-tree.ts";

const code = filesMatching("{src,bin,demo,bench,scripts,test}/**/*.{ts,tsx}");

test("files are named in kebab-case by what is in them", () => {
  assert.deepEqual(badFileNames(code.map(({ path }) => path)), []);
});

test("planted file names are found", () => {
  const cases: [path: string, isBad: boolean][] = [
    ["src/format/batch.ts", false],
    ["src/format/batch.test.ts", false],
    ["vite.config.ts", false],
    ["src/format/index.ts", true],
    ["src/std/utils.ts", true],
    ["src/std/string-util.ts", true],
    ["src/std/helpers/text.ts", true],
    ["src/common/text.ts", true],
    ["src/std/session-manager.ts", true],
    ["src/std/misc.ts", true],
    ["src/std/camelCase.ts", true],
    ["src/std/snake_case.ts", true],
    ["src/std/Table.ts", true],
    ["src/std/utility-pole.ts", false],
  ];
  for (const [path, isBad] of cases) assert.equal(badFileNames([path]).length > 0, isBad, path);
});

test("exported names of the foundations are described", () => {
  const foundations = code.filter(
    ({ path }) => /^src\/(?:format|journal|std)\//.test(path) && !path.endsWith(".test.ts"),
  );
  assert.deepEqual(foundations.flatMap(undocumentedExports), []);
});

test("planted exports without a description are found", () => {
  const cases: [text: string, isBad: boolean][] = [
    ["/** Why. */\nexport const a = 1;", false],
    ["/**\n * Why.\n */\nexport async function a(): Promise<void> {}", false],
    ["const a = 1;", false],
    ["/** Why. */\nexport function a(x: 1): 1;\nexport function a(x: 2): 2;", false],
    ["/** Codes. */\nexport type AErrorCode = 1;\nexport class AError {}", false],
    ["export class AError {}", true],
    ["/** What it is for. */\nimport x;\nexport class TheFile {}", false],
    ["/** What it is for. */\nimport x;\nexport class Other {}", true],
    ["import x;\nexport class TheFile {}", true],
    ["export interface A {\n  /** Inclusive. */\n  readonly b: 1;\n}", false],
    ["export interface A {\n  readonly b: 1;\n}\n/** Else. */", true],
    ["export const a = 1; // in ms", false],
    ["export const a = 1;", true],
    ["export class A {}", true],
    ["// Why.\nexport interface A {}", true],
    ["/** Why. */\n\nexport type A = 1;", true],
    ["export abstract class A {}", true],
    ["export function* a() {}", true],
  ];
  for (const [text, isBad] of cases) {
    assert.equal(undocumentedExports({ path: "src/the-file.ts", text }).length > 0, isBad, text);
  }
});

test("numbers that measure something say their unit", () => {
  const scanned = code.filter(({ path }) => !path.startsWith("test/tidy/"));
  assert.deepEqual(withoutExcused(scanned.flatMap(numbersWithoutUnit)), []);
});

test("planted numbers without a unit are found", () => {
  const cases: [text: string, isBad: boolean][] = [
    ["readonly timeoutMs: number;", false],
    ["const RETRY_DELAY_MS = 5;", false],
    ["segmentSizeBytes?: number", false],
    ["function f(rowLimitCount: number) {}", false],
    ["const sizes: number[] = [];", true],
    ["const textSize: string = '';", false],
    ["const sizeOf = (a: number) => a;", false],
    ["readonly timeout: number;", true],
    ["const RETRY_DELAY = 5;", true],
    ["batchSize?: number", true],
    ["function f(pollInterval: number) {}", true],
    ["// timeout: number", false],
  ];
  for (const [text, isBad] of cases) {
    assert.equal(numbersWithoutUnit({ path: "a.ts", text }).length > 0, isBad, text);
  }
});

/** Complaints read `path:line name: …`. */
function withoutExcused(complaints: readonly string[]): string[] {
  return complaints.filter((complaint) => {
    const [, path = "", name = ""] = /^([^:]+):\d+ (\w+)/.exec(complaint) ?? [];
    return unitless[path] !== name;
  });
}

/** Numbers that go without a unit, by file, each for the reason beside it. */
const unitless: Readonly<Record<string, string>> = {
  // A tree's size counts its leaves: the word of the transparency-log formats.
  "src/format/batch.ts": "seenSize",
  // The public name of a query parameter.
  "src/serve/query/list-statement.ts": "limit",
  "src/serve/query/list-page.ts": "limit",
};
