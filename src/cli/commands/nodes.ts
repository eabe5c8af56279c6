/** `tallystick nodes [list|show|update|revoke|waiting|approve|reject]` */
import type { Node, WaitingNode } from "../../api/nodes.ts";
import { NAME_CHARS_MAX } from "../../format/limits.ts";
import { CommandError } from "../../std/command-error.ts";
import type { Call, Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { type Cell, cuttable, wrappable } from "../../std/table.ts";
import { humanShare, humanSpan, humanTime, stateCell } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";

type Printer = Pick<Call<OptionTable>, "json" | "printJson" | "printTable" | "terminal">;

const list = remoteCommand({
  name: "nodes list",
  summary: "all nodes: state, last batch, how far they are complete",
  aliases: ["nodes"],
  options: {},
  async run(call, api) {
    const { items } = await api.call("GET /nodes");
    if (call.json) for (const node of items) call.printJson(node);
    else printNodes(call, items);
  },
});

const show = remoteCommand({
  name: "nodes show",
  summary: "everything about one node",
  options: {},
  positionals: [{ name: "NODE", summary: "its name or id" }],
  async run(call, api) {
    printNode(call, await api.call("GET /nodes/{id}", { params: idOf(call) }));
  },
});

const update = remoteCommand({
  name: "nodes update",
  summary: "change a node's name, owner or tags; what is not given stays",
  options: {
    name: { type: "text", summary: "what it is called from now on", charsMax: NAME_CHARS_MAX },
    owner: { type: "text", summary: "whose it is: a person or team; '' for nobody" },
    tag: {
      type: "text",
      summary: "one of its tags; those that are not given are gone",
      repeatable: true,
      charsMax: NAME_CHARS_MAX,
    },
    noTags: { type: "flag", summary: "without any tag" },
  },
  positionals: [{ name: "NODE", summary: "its name or id" }],
  async run(call, api) {
    const { name, owner, tag, noTags } = call.options;
    if (noTags && tag.length > 0) {
      throw new CommandError("wrong_usage", "--tag and --no-tags contradict, give one of them");
    }
    const tags = tag.length > 0 || noTags ? { tags: tag } : {};
    const change = { name, owner, ...tags };
    if (name === undefined && owner === undefined && !("tags" in tags)) {
      const line = "nothing is to change, give --name, --owner, --tag or --no-tags";
      throw new CommandError("wrong_usage", line);
    }
    printNode(call, await api.call("PATCH /nodes/{id}", { params: idOf(call), body: change }));
  },
});

const revoke = remoteCommand({
  name: "nodes revoke",
  summary: "refuse a node's key from now on; its history stays",
  options: {},
  positionals: [{ name: "NODE", summary: "its name or id" }],
  async run(call, api) {
    printNode(call, await api.call("POST /nodes/{id}/revoke", { params: idOf(call) }));
  },
});

const waiting = remoteCommand({
  name: "nodes waiting",
  summary: "nodes that asked to join and wait to be let in",
  options: {},
  async run(call, api) {
    const { items } = await api.call("GET /nodes/waiting");
    if (call.json) for (const node of items) call.printJson(node);
    else printWaiting(call, items);
  },
});

const WAITING_NODE = [{ name: "NODE", summary: "its name or id, as in `nodes waiting`" }] as const;

const approve = remoteCommand({
  name: "nodes approve",
  summary: "let a waiting node in; it hears of it within half a minute",
  options: {},
  positionals: WAITING_NODE,
  async run(call, api) {
    printNode(call, await api.call("POST /nodes/waiting/{id}/approve", { params: idOf(call) }));
  },
});

const reject = remoteCommand({
  name: "nodes reject",
  summary: "turn a waiting node away; it may ask again while its key is good",
  options: {},
  positionals: WAITING_NODE,
  async run(call, api) {
    const node = await api.call("POST /nodes/waiting/{id}/reject", { params: idOf(call) });
    if (call.json) call.printJson(node);
    else call.terminal.out(`${node.name} (${node.id}) is turned away\n`);
  },
});

function printWaiting(call: Printer, nodes: readonly WaitingNode[]): void {
  call.printTable(
    [cuttable("name"), "id", "asked from", "asked at", "key"],
    nodes.map((node) => [
      node.name,
      node.id,
      node.address,
      humanTime(node.asked_at),
      node.enrolment_key,
    ]),
  );
}

function idOf({ positionals }: { readonly positionals: readonly string[] }) {
  return { id: positionals[0] ?? "" };
}

/** Also the second half of `status`, which adds how much of a node's traffic both ends recorded. */
export function printNodes(
  call: Printer,
  nodes: readonly Node[],
  coverage?: ReadonlyMap<string, string>,
): void {
  const { nowMs } = call.terminal;
  const covered = (name: string) => (coverage === undefined ? [] : [coverage.get(name) ?? ""]);
  const heading = coverage === undefined ? [] : ["both ends, hour"];
  call.printTable(
    [
      cuttable("name"),
      "state",
      "last seen",
      "complete to",
      "trust",
      ...heading,
      wrappable("addresses"),
      wrappable("tags"),
    ],
    nodes.map((node) => [
      node.name,
      stateCell(node.state),
      ago(node.last_seen, nowMs),
      ago(node.watermark, nowMs),
      trustCell(node),
      ...covered(node.name),
      node.addresses.join(" "),
      node.tags.join(" "),
    ]),
  );
}

function printNode(call: Printer, node: Node): void {
  if (call.json) return call.printJson(node);
  const { revoked } = node;
  call.printTable(
    ["what", wrappable("value")],
    [
      ["name", node.name],
      ["id", node.id],
      ["state", stateCell(node.state)],
      ["addresses", node.addresses.join(" ")],
      ["last seen", humanTime(node.last_seen)],
      ["complete to", humanTime(node.watermark)],
      ["clock", clockText(node)],
      [
        "trust, 24 h",
        node.trust === null ? "nothing compared" : `${(node.trust * 100).toFixed(2)} %`,
      ],
      ...(node.accused === null ? [] : [["accused", accusedCell(node.accused)]]),
      ["received", receivedText(node)],
      ["enrolled", `${humanTime(node.enrolled_at)} by key ${node.enrolment_key}`],
      ["public key", node.public_key],
      ["owner", node.owner],
      ["tags", node.tags.join(" ")],
      ...(revoked === null
        ? []
        : [
            [
              "revoked",
              `${humanTime(revoked.at)} after batch ${revoked.last_batch} of epoch ${revoked.epoch}`,
            ],
          ]),
    ],
  );
}

/** Trust accuses nobody; where somebody is accused, that comes first. */
function trustCell({ trust, accused }: Node): Cell {
  const share = trust === null ? "" : humanShare(trust);
  if (accused === null) return share;
  return { text: share === "" ? "accused" : `accused, ${share}`, colour: "red" };
}

function accusedCell(finding: string): Cell {
  return { text: `see tallystick findings --id ${finding}`, colour: "red" };
}

function clockText({ clock_offset_ms: offsetMs, clock_drift_ppm: driftPpm }: Node): string {
  if (offsetMs === null || driftPpm === null) return "unknown";
  const sign = offsetMs < 0 ? "behind" : "ahead";
  const drift = `${Math.abs(driftPpm).toFixed(1)} ppm ${driftPpm < 0 ? "slow" : "fast"}`;
  return `${(Math.abs(offsetMs) / 1000).toFixed(3)} s ${sign} of the server's, ${drift}`;
}

/** An independent third number beside the counts of both ends. */
function receivedText({ received }: Node): string {
  if (received === null) return "unknown";
  const { from, to, interface_bytes: carried, connection_bytes: compared } = received;
  const span = humanSpan(Date.parse(to) - Date.parse(from));
  return `${carried} B by its interfaces in ${span}, of which connections that both ends have explain ${compared} B`;
}

function ago(iso: string | null, nowMs: number): string {
  return iso === null ? "never" : `${humanSpan(nowMs - Date.parse(iso))} ago`;
}
export const nodeCommands: readonly Command[] = [
  list,
  show,
  update,
  revoke,
  waiting,
  approve,
  reject,
];
