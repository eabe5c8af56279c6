/** `tallystick connections`: what was recorded, and what the comparison says of it. */
import type { Connection } from "../../api/connections.ts";
import { VERDICTS } from "../../format/verdict.ts";
import { CONNECTIONS } from "../../query/catalogues/connections.ts";
import { type Cell, cuttable } from "../../std/table.ts";
import { countedBytes, humanSpan, humanTime, verdictCell } from "../human.ts";
import { listOptions, runList } from "../list-command.ts";
import { remoteCommand } from "../remote-command.ts";

export const connectionsCommand = remoteCommand({
  name: "connections",
  summary: "connections and their verdicts, newest first",
  options: {
    ...listOptions,
    verdict: {
      type: "text",
      summary: "only these",
      repeatable: true,
      choices: VERDICTS,
    },
  },
  run(call, api) {
    const { verdict } = call.options;
    return runList(call, api, {
      topic: "connections",
      catalogue: CONNECTIONS,
      filters: { verdict },
      rounds: [{ filters: {} }],
      nothing: "nothing in this time; look further back with --since 7d",
      headings: [
        "opened",
        "lasted",
        "proto",
        cuttable("from"),
        cuttable("to"),
        "state",
        "sent",
        "received",
        "verdict",
      ],
      row,
    });
  },
});

function row(connection: Connection): Cell[] {
  const { opened_at, closed_at, initiator_bytes, responder_bytes, counters } = connection;
  return [
    humanTime(opened_at),
    closed_at === null ? "open" : humanSpan(Date.parse(closed_at) - Date.parse(opened_at)),
    connection.proto,
    end(connection.initiator_node, connection.initiator_ip, connection.initiator_port),
    end(connection.responder_node, connection.responder_ip, connection.responder_port),
    connection.end_state,
    countedBytes(initiator_bytes, counters),
    countedBytes(responder_bytes, counters),
    verdictCell(connection.verdict, connection.excuse),
  ];
}

/** `db 10.0.0.2:5432`, of which the name may be cut. */
function end(node: string, ip: string, port: number): Cell {
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return { text: node, tail: `${host}:${port}` };
}
