import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, parseDuration, parseTime } from "./duration.ts";

const nowMs = Date.UTC(2026, 2, 10, 12, 0, 0);

test("durations are sums of amounts with a unit, in milliseconds", () => {
  const cases: [text: string, expectedMs: number | undefined][] = [
    ["500ms", 500],
    ["30s", 30_000],
    ["15m", 900_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["0s", 0],
    ["0.4ms", 0],
    ["", undefined],
    ["10", undefined],
    ["h", undefined],
    ["-1h", undefined],
    ["1 h", undefined],
    ["1y", undefined],
    ["1h ", undefined],
    ["1H", undefined],
    [".5h", undefined],
    ["1e3s", undefined],
    [`${"9".repeat(20)}d`, undefined],
  ];
  for (const [text, expectedMs] of cases) assert.equal(parseDuration(text), expectedMs, text);
});

test("a long run of digits is refused without stalling", () => {
  const startMs = performance.now();
  assert.equal(parseDuration("1".repeat(100_000)), undefined);
  assert.ok(performance.now() - startMs < 1_000);
});

test("a printed duration reads back as the same milliseconds", () => {
  const cases: [durationMs: number, text: string][] = [
    [0, "0s"],
    [1, "1ms"],
    [90_000, "1m30s"],
    [86_400_000, "1d"],
    [604_800_000, "7d"],
    [90_061_001, "1d1h1m1s1ms"],
  ];
  for (const [durationMs, text] of cases) {
    assert.equal(formatDuration(durationMs), text);
    assert.equal(parseDuration(text), durationMs);
  }
});

test("times are ISO 8601, UTC unless a zone says otherwise, or an age", () => {
  const cases: [text: string, expected: string | undefined][] = [
    ["now", "2026-03-10T12:00:00.000Z"],
    ["1h", "2026-03-10T11:00:00.000Z"],
    ["1d12h", "2026-03-09T00:00:00.000Z"],
    ["2026-03-01", "2026-03-01T00:00:00.000Z"],
    ["2026-03-01T08:30", "2026-03-01T08:30:00.000Z"],
    ["2026-03-01 08:30:15", "2026-03-01T08:30:15.000Z"],
    ["2026-03-01T08:30:15.25Z", "2026-03-01T08:30:15.250Z"],
    ["2026-03-01T08:30:15+02:00", "2026-03-01T06:30:15.000Z"],
    ["2028-02-29", "2028-02-29T00:00:00.000Z"],
    ["2026-02-30", undefined],
    ["2026-13-01", undefined],
    ["2026-03-01T25:00", undefined],
    ["2026-3-1", undefined],
    ["yesterday", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    const atMs = parseTime(text, nowMs);
    assert.equal(atMs === undefined ? undefined : new Date(atMs).toISOString(), expected, text);
  }
});
