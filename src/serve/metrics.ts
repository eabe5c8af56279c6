/** Prometheus' text format. No names of nodes: whoever can reach the port may read this. */
import type { Vitals } from "./api.ts";

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** Label pairs as one text, `outcome="accepted"`, or empty. */
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

export interface NodeTotals {
  readonly isStoreUp: boolean;
  readonly byState: ReadonlyMap<string, number>;
  /** Of the active node that is furthest behind; absent when none reports. */
  readonly lagMaxS?: number;
}

export function metricsOf(vitals: Vitals, nodes: NodeTotals): Metric[] {
  const { journalEnd, committed } = vitals;
  return [
    gauge(
      "journal_up",
      "1 while the journal takes records",
      Number(vitals.journalFailure === undefined),
    ),
    gauge("journal_records", "Durable records of the journal", journalEnd),
    gauge("store_up", "1 when the store answers", Number(nodes.isStoreUp)),
    gauge("store_records", "Journal records whose rows are searchable", committed),
    gauge(
      "store_lag_records",
      "Journal records not searchable yet",
      Math.max(0, journalEnd - committed),
    ),
    counter("ingest_batches_total", "Answers to batches", "outcome", vitals.batches),
    counter(
      "incidents_total",
      "Batches refused as evidence of something",
      "kind",
      vitals.incidents,
    ),
    { ...counter("nodes", "Nodes by state", "state", nodes.byState), type: "gauge" },
    ...(nodes.lagMaxS === undefined
      ? []
      : [
          gauge(
            "watermark_lag_seconds_max",
            "Age of the oldest watermark of an active node",
            nodes.lagMaxS,
          ),
        ]),
  ];
}

export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(
        ([labels, value]) => `${name}${labels === "" ? "" : `{${labels}}`} ${value}\n`,
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function gauge(name: string, help: string, value: number): Metric {
  return { name: `tallystick_${name}`, help, type: "gauge", samples: [["", value]] };
}

function counter(
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): Metric {
  const samples = [...counts].map(([key, value]) => [`${label}="${key}"`, value] as const);
  return { name: `tallystick_${name}`, help, type: "counter", samples };
}
