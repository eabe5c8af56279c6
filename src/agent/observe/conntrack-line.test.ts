import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseConntrackLine, type ConntrackEvent, type RefusedLine } from "./conntrack-line.ts";

function parse(line: string): ConntrackEvent | RefusedLine {
  return parseConntrackLine(Buffer.from(line));
}

const TUPLE =
  "src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=40000";

/** What is expected is a part of the event; the rest of it is checked by the first case. */
const understood: readonly [name: string, line: string, expected: Partial<ConntrackEvent>][] = [
  [
    "a new TCP connection",
    "[1795464983.742822]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.77.0.1 dst=10.77.0.2 sport=35198 dport=5001 [UNREPLIED] src=10.77.0.2 dst=10.77.0.1 sport=5001 dport=35198 id=2795669870",
    {
      type: "new",
      atMs: 1795464983742,
      protocol: 6,
      state: "SYN_SENT",
      timeoutS: 120,
      original: {
        sourceIp: "10.77.0.1",
        destinationIp: "10.77.0.2",
        sourcePort: 35198,
        destinationPort: 5001,
        packets: undefined,
        bytes: undefined,
      },
      reply: {
        sourceIp: "10.77.0.2",
        destinationIp: "10.77.0.1",
        sourcePort: 5001,
        destinationPort: 35198,
        packets: undefined,
        bytes: undefined,
      },
      unreplied: true,
      assured: false,
      offload: false,
      userspace: false,
      ageS: undefined,
      id: 2795669870,
      zone: 0,
    },
  ],
  [
    "the end of it, with counters and age",
    "[1795464991.722326]\t[DESTROY] ipv4     2 tcp      6 TIME_WAIT src=10.77.0.1 dst=10.77.0.2 sport=35198 dport=5001 packets=6 bytes=420 src=10.77.0.2 dst=10.77.0.1 sport=5001 dport=35198 packets=4 bytes=316 [ASSURED] delta-time=5 id=2795669870",
    {
      type: "destroy",
      state: "TIME_WAIT",
      timeoutS: undefined,
      assured: true,
      ageS: 5,
      original: {
        sourceIp: "10.77.0.1",
        destinationIp: "10.77.0.2",
        sourcePort: 35198,
        destinationPort: 5001,
        packets: 6,
        bytes: 420,
      },
    },
  ],
  [
    "IPv6 in the kernel's spelling",
    "[1.000001]\t [UPDATE] ipv6     10 udp      17 30 src=fd77::1 dst=fd77:0:0:1::2 sport=1 dport=2 src=fd77:0:0:1::2 dst=fd77::1 sport=2 dport=1 id=7",
    { type: "update", atMs: 1000, protocol: 17, state: "" },
  ],
  [
    "a table entry with everything printed",
    `ipv4     2 udp      17 1 ${TUPLE} [ASSURED] mark=7 secctx=system_u:object_r:x:s0 zone=3 delta-time=3 [start=Mon Nov 23 20:16:28 2026] labels=a,b use=1 id=9`,
    { type: "entry", atMs: undefined, zone: 3, ageS: 3, id: 9, assured: true },
  ],
  [
    "a removal by a program whose name looks like fields",
    `[1.5]\t[DESTROY] ipv4     2 udp      17 ${TUPLE} id=5 [USERSPACE] portid=4474 progname=x id=6 src=1.2.3.4`,
    { type: "destroy", id: 5, userspace: true },
  ],
  [
    "an offloaded flow",
    `[1.5]\t [UPDATE] ipv4     2 tcp      6 ${TUPLE} [OFFLOAD] mark=0 id=5`,
    { type: "update", offload: true, state: "", timeoutS: undefined },
  ],
  [
    "ICMP, whose own ids come before the entry's",
    "[1.5]\t    [NEW] ipv4     2 icmp     1 30 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=44 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=44 id=123456",
    { protocol: 1, id: 123456, unreplied: true },
  ],
  [
    "SCTP",
    `[1.5]\t [UPDATE] ipv4     2 sctp     132 210 ESTABLISHED ${TUPLE} [ASSURED] id=5`,
    { protocol: 132, state: "ESTABLISHED", timeoutS: 210 },
  ],
  [
    "an unknown protocol without ports",
    "[1.5]\t    [NEW] ipv4     2 unknown  50 600 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 id=5",
    { protocol: 50 },
  ],
];

for (const [name, line, expected] of understood) {
  test(`understands ${name}`, () => assert.partialDeepStrictEqual(parse(line), expected));
}

const refused: readonly [line: string, reason: RefusedLine["reason"]][] = [
  ["", "no event type"],
  ["conntrack v1.4.7 (conntrack-tools): 61 flow events have been shown.", "no event type"],
  ["[1.5]\t[OTHER] ipv4 2 tcp 6", "no event type"],
  ["[1.5", "no event type"],
  ["ipv4", "no protocol"],
  ["[1.5]\t [UPDATE] ipv4 2 tcp six", "no protocol"],
  ["ipv4     2 tcp      6 1 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 id=5", "no tuple"],
  [`ipv4     2 udp      17 1 ${TUPLE}`, "no id"],
  [`ipv4     2 udp      17 1 ${TUPLE.replace("10.0.0.1", "10.0.0.256")} id=1`, "bad address"],
  [`ipv4     2 udp      17 1 ${TUPLE.replace("10.0.0.1", "")} id=1`, "bad address"],
];

for (const [line, reason] of refused) {
  test(`refuses ${JSON.stringify(line.slice(0, 60))}: ${reason}`, () => {
    assert.deepEqual(parse(line), { type: "refused", reason });
  });
}

test("understands each captured line of a kernel", () => {
  for (const name of ["initiator.events", "responder.events", "initiator.table"]) {
    for (const line of capturedLines(name)) assert.notEqual(parse(line).type, "refused", line);
  }
});

test("cut or altered lines never throw", () => {
  for (const line of capturedLines("initiator.events")) {
    for (let length = 0; length < line.length; length++) {
      parse(line.slice(0, length));
      parse(`${line.slice(0, length)}\u0000${line.slice(length + 1)}`);
    }
  }
});

test("reads a part of a larger buffer", () => {
  const line = capturedLines("initiator.events")[0] ?? "";
  const bytes = Buffer.from(`junk${line}\nmore id=77`);
  assert.deepEqual(parseConntrackLine(bytes, 4, 4 + line.length), parse(line));
});

function capturedLines(name: string): string[] {
  const text = readFileSync(new URL(`test-data/${name}`, import.meta.url), "latin1");
  return text.split("\n").filter((line) => line !== "");
}
