/** Nodes as people see them: what control knows, and what the comparison learnt from their streams. */
import type { ControlNode } from "../control/node-table.ts";
import { StoreError } from "../store/store-error.ts";
import { statementOf, type StoreReader } from "./query/store-reader.ts";
import { NODE_STATES, type Node } from "../api/nodes.ts";

export interface NodeRow {
  readonly id: string;
  readonly addresses: readonly string[];
  readonly last_seen: string;
  readonly watermark: string;
  readonly state: string;
  readonly clock_offset_ms: number | null;
  readonly clock_drift_ppm: number | null;
  readonly compared_day: number;
  readonly unexplained_day: number;
  readonly carried_from: string;
  readonly carried_to: string;
  readonly carried_bytes: number;
  readonly compared_bytes: number;
  /** The finding that accuses it, where one stands. */
  readonly accused?: string;
}

/** One that a person excused stands no more; one that is acknowledged is true all the same. */
const ACCUSED = statementOf(`SELECT node_id AS node, lower(hex(finding_rows.id)) AS finding
  FROM finding_rows FINAL WHERE kind = 'accused' AND state IN ('open', 'acknowledged')`);

/** Undefined when the store does not answer. */
export async function readNodeRows(
  store: StoreReader,
): Promise<ReadonlyMap<string, NodeRow> | undefined> {
  try {
    const accused = await store.rows<{ node: string; finding: string }>(ACCUSED);
    const findings = new Map(accused.map(({ node, finding }) => [node, finding]));
    const rows = await store.rows<NodeRow>(
      statementOf(`SELECT id, addresses, last_seen, watermark, state, clock_offset_ms, clock_drift_ppm,
        toFloat64(compared_day) AS compared_day, toFloat64(unexplained_day) AS unexplained_day,
        carried_from, carried_to, toFloat64(carried_bytes) AS carried_bytes, toFloat64(compared_bytes) AS compared_bytes FROM nodes`),
    );
    return new Map(
      rows.map((row) => {
        const finding = findings.get(row.id);
        return [row.id, finding === undefined ? row : { ...row, accused: finding }];
      }),
    );
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

export function describeNode(
  node: ControlNode,
  rows: ReadonlyMap<string, NodeRow> | undefined,
  nowMs: number,
): Node {
  const row = rows?.get(node.id);
  const watermark = timeOrNull(row?.watermark);
  const { revoked } = node;
  return {
    name: node.name,
    id: node.id,
    addresses: [...(row?.addresses ?? [])],
    last_seen: timeOrNull(row?.last_seen),
    watermark,
    lag_ms: watermark === null ? null : Math.max(0, nowMs - Date.parse(watermark)),
    state: stateOf(node, row, rows !== undefined),
    clock_offset_ms: row?.clock_offset_ms ?? null,
    clock_drift_ppm: row?.clock_drift_ppm ?? null,
    trust: trustOf(row),
    accused: row?.accused ?? null,
    received: receivedOf(row),
    owner: node.owner,
    tags: [...node.tags],
    enrolled_at: new Date(node.enrolledAtMs).toISOString(),
    enrolment_key: node.enrolmentKey,
    public_key: Buffer.from(node.publicKeyBytes).toString("base64url"),
    revoked:
      revoked === undefined
        ? null
        : {
            at: new Date(revoked.atMs).toISOString(),
            epoch: revoked.epoch,
            last_batch: revoked.batchNo,
          },
  };
}

/** Of its connections that were compared in the last 24 hours, the share that nothing unexplained contradicts. */
function trustOf(row: NodeRow | undefined): number | null {
  if (row === undefined || row.compared_day + row.unexplained_day === 0) return null;
  return row.compared_day / (row.compared_day + row.unexplained_day);
}

/** By its own readings; null before there are two that can be compared. */
function receivedOf(row: NodeRow | undefined): Node["received"] {
  const from = timeOrNull(row?.carried_from);
  if (row === undefined || from === null) return null;
  const { carried_to: to, carried_bytes, compared_bytes } = row;
  return { from, to, interface_bytes: carried_bytes, connection_bytes: compared_bytes };
}

function stateOf(
  node: ControlNode,
  row: NodeRow | undefined,
  isStoreThere: boolean,
): (typeof NODE_STATES)[number] {
  if (node.state === "revoked") return "revoked";
  if (!isStoreThere) return "unknown";
  if (timeOrNull(row?.last_seen) === null) return "enrolled";
  return NODE_STATES.find((state) => state === row?.state) ?? "unknown";
}

/** The store has no absent times: the first second of 1970 stands for never. */
function timeOrNull(text: string | undefined): string | null {
  return text === undefined || Date.parse(text) <= 0 ? null : text;
}
