import assert from "node:assert/strict";
import { it } from "node:test";
import { formatMetrics, metricsOf } from "./metrics.ts";

it("is Prometheus' text format", () => {
  const text = formatMetrics(
    metricsOf(
      {
        journalEnd: 10,
        committed: 7,
        isDiskFull: false,
        reservedBytes: 0,
        batches: new Map([
          ["accepted", 5],
          ["fork", 1],
        ]),
        incidents: new Map([["fork", 1]]),
      },
      { isStoreUp: true, byState: new Map([["active", 2]]), lagMaxS: 1.5 },
    ),
  );
  for (const line of [
    "tallystick_journal_up 1",
    "tallystick_store_lag_records 3",
    'tallystick_ingest_batches_total{outcome="accepted"} 5',
    'tallystick_incidents_total{kind="fork"} 1',
    'tallystick_nodes{state="active"} 2',
    "tallystick_watermark_lag_seconds_max 1.5",
    "# TYPE tallystick_ingest_batches_total counter",
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  const form = /^(?:# (?:HELP|TYPE) tallystick_\w+ .+|tallystick_\w+(?:\{\w+="[^"]*"\})? [\d.]+)$/;
  for (const line of text.trimEnd().split("\n")) assert.match(line, form);
});
