/** Lines that ss 6.1 printed on Linux 6.18; the true sizes are those that the programs wrote and read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSocketLine } from "./socket-line.ts";

const TAIL =
  "segs_out:5 segs_in:4 data_segs_out:1 send 1349592233bps lastsnd:44 delivered:3 busy:44ms retrans:0/1 rcv_space:14480 minrtt:0.017 snd_wnd:65536";

interface Row {
  readonly what: string;
  readonly ends: string;
  readonly counts: string;
  readonly queue?: string;
  readonly said: string;
}

const ROWS: readonly Row[] = [
  {
    what: "began it, closed first, heard the other's end of stream",
    ends: "10.91.1.1:20001 10.91.2.1:7000",
    queue: "1      0",
    counts: "bytes_sent:140 bytes_acked:142 bytes_received:1066",
    said: "10.91.1.1 20001 10.91.2.1 7000: 140 1065",
  },
  {
    what: "was called, read to the end, closed last",
    ends: "[::ffff:10.91.2.1]:7000 [::ffff:10.91.1.1]:20001",
    counts: "bytes_sent:1065 bytes_acked:1066 bytes_received:141",
    said: "10.91.1.1 20001 10.91.2.1 7000: 140 1065",
  },
  {
    what: "closed first and was gone before the end of stream came: one byte short",
    ends: "10.91.1.1:20002 10.91.2.1:7000",
    counts: "bytes_sent:117 bytes_acked:119 bytes_received:242",
    said: "10.91.1.1 20002 10.91.2.1 7000: 117 241",
  },
  {
    what: "sent some twice",
    ends: "10.91.1.1:37001 10.91.2.1:7000",
    counts: "bytes_sent:100130 bytes_retrans:109 bytes_acked:100023 bytes_received:1449",
    said: "10.91.1.1 37001 10.91.2.1 7000: 100021 1448",
  },
  {
    what: "over IPv6",
    ends: "[fd91:1::1]:41102 [fd91:2::1]:7000",
    counts: "bytes_sent:310 bytes_acked:312 bytes_received:3001",
    said: "fd91:1::1 41102 fd91:2::1 7000: 310 3000",
  },
  {
    what: "nothing was written, and nothing came before it was gone",
    ends: "10.91.1.1:56828   10.91.2.1:7000",
    counts: "bytes_acked:2",
    said: "10.91.1.1 56828 10.91.2.1 7000: 0 0",
  },
  {
    what: "nothing was written, and the other end read to the end",
    ends: "[::ffff:10.91.2.1]:7000 [::ffff:10.91.1.1]:56828",
    counts: "bytes_acked:1 bytes_received:1",
    said: "10.91.1.1 56828 10.91.2.1 7000: 0 0",
  },
  {
    what: "bound to an interface",
    ends: "10.91.1.1%e0:56830   10.91.2.1:7000",
    queue: "1      0",
    counts: "bytes_sent:13 bytes_acked:15 bytes_received:1",
    said: "10.91.1.1 56830 10.91.2.1 7000: 13 0",
  },
  {
    what: "up to what a double holds",
    ends: "10.0.0.1:1 10.0.0.2:2",
    counts:
      "bytes_sent:9007199254740989 bytes_acked:9007199254740991 bytes_received:9007199254740991",
    said: "10.0.0.1 1 10.0.0.2 2: 9007199254740989 9007199254740990",
  },
];

for (const { what, ends, counts, queue = "0      0", said } of ROWS) {
  test(`read: ${what}`, () => {
    const line = `UNCONN ${queue}      ${ends} wscale:10,10 rto:204 mss:1448 cwnd:12 ${counts} ${TAIL}`;
    const end = parseSocketLine(line);
    assert.ok(end !== undefined);
    const { initiatorBytes, responderBytes } = end.payload;
    assert.equal(
      `${end.initiatorIp} ${end.initiatorPort} ${end.responderIp} ${end.responderPort}: ${initiatorBytes} ${responderBytes}`,
      said,
    );
  });
}

const PASSED_OVER: Readonly<Record<string, string>> = {
  "reset by itself: no ports, nothing counted":
    "UNCONN 0      65538    0.0.0.0:20010 10.91.2.1:*    rto:1000 mss:1448 rcvmss:88 notsent:65538",
  "the same over IPv6":
    "UNCONN 0      64514            *:41103 [fd91:2::1]:*    rto:1000 mss:1428 bytes_acked:1",
  "reset by the other end":
    `UNCONN 0      0      10.91.1.1:20011 10.91.2.1:7000 bytes_sent:111 bytes_acked:112 bytes_received:1583 ${TAIL}`.replace(
      "112",
      "111",
    ),
  "was called, its end of stream not acknowledged": `UNCONN 0      0      [fd91:2::1]:7000 [fd91:1::1]:41103 bytes_sent:3954 bytes_retrans:1977 bytes_acked:1977 bytes_received:280 ${TAIL}`,
  "something not acknowledged": `UNCONN 0      1448   10.91.2.1:7000 10.91.1.1:9 bytes_sent:3000 bytes_acked:1552 ${TAIL}`,
  "something not read": `UNCONN 2      0      10.91.2.1:7000 10.91.1.1:9 bytes_sent:3000 bytes_acked:3001 ${TAIL}`,
  "a kernel that does not count what it sent": `UNCONN 0      0      10.91.2.1:7000 10.91.1.1:9 bytes_acked:3001 bytes_received:5 ${TAIL}`,
  "more than a double holds": `UNCONN 0      0      10.91.2.1:7000 10.91.1.1:9 bytes_acked:1 bytes_received:18446744073709551615 ${TAIL}`,
  "a port's name":
    "UNCONN 0      0      10.91.2.1:https 10.91.1.1:9 bytes_acked:1 bytes_received:5",
  "no address": "UNCONN 0      0      somewhere:1 10.91.1.1:9 bytes_acked:1 bytes_received:5",
  "a heading": "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process",
  nothing: "",
  "the rest of a line": "rtt:0.103/0.059 ato:40 mss:1448 bytes_acked:1 segs_out:6",
};

for (const [what, line] of Object.entries(PASSED_OVER)) {
  test(`passed over: ${what}`, () => assert.equal(parseSocketLine(line), undefined));
}
