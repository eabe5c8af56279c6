import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CloseEntry, Entry, OpenEntry } from "./entry.ts";
import { CONNECTION_STATES } from "./entry.ts";
import { decodeLine, encodeLine } from "./entry-line.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const position = { seq: 10, previousAtMs: 1_000_000 };

const tuple = {
  protocol: 6,
  initiatorIp: "10.0.0.1",
  initiatorPort: 40_000,
  responderIp: "10.0.0.2",
  responderPort: 443,
};
const reply = {
  sourceIp: "10.0.0.9",
  sourcePort: 8443,
  destinationIp: "2001:db8::1",
  destinationPort: 1,
};
const counters = {
  initiatorPackets: 1,
  initiatorBytes: 2,
  responderPackets: 3,
  responderBytes: 4,
};
const payload = { initiatorBytes: 5, responderBytes: 6 };
const open: OpenEntry = { kind: "open", atMs: 1_000_005, role: "initiator", tuple, pickup: false };
const close: CloseEntry = {
  kind: "close",
  atMs: 1_000_000,
  openSeq: 7,
  ageMs: 250,
  state: "SF",
  assured: false,
  inferred: false,
};
const { inferred: _, ...amendment } = close;

const T = '"i",6,"10.0.0.1",40000,"10.0.0.2",443';

/** One entry, one line. */
const PAIRS: readonly (readonly [entry: Entry, line: string])[] = [
  [open, `["open",5,${T}]`],
  [{ ...open, atMs: 1_000_000 }, `["open",0,${T}]`],
  [{ ...open, atMs: 0 }, `["open",-1000000,${T}]`],
  [{ ...open, role: "responder" }, '["open",5,"r",6,"10.0.0.1",40000,"10.0.0.2",443]'],
  [{ ...open, role: "forwarder" }, '["open",5,"f",6,"10.0.0.1",40000,"10.0.0.2",443]'],
  [{ ...open, pickup: true }, `["open",5,${T},1]`],
  [{ ...open, reply }, `["open",5,${T},0,["10.0.0.9",8443,"2001:db8::1",1]]`],
  [{ ...open, network: "lab" }, `["open",5,${T},0,null,"lab"]`],
  [
    { ...open, pickup: true, reply, network: "lab" },
    `["open",5,${T},1,["10.0.0.9",8443,"2001:db8::1",1],"lab"]`,
  ],
  [
    {
      ...open,
      tuple: {
        protocol: 255,
        initiatorIp: "::",
        initiatorPort: 0,
        responderIp: "ff02::fb",
        responderPort: 65_535,
      },
    },
    '["open",5,"i",255,"::",0,"ff02::fb",65535]',
  ],
  [close, '["close",0,3,250,"SF",0]'],
  [{ ...close, inferred: true }, '["close",0,3,250,"SF",1]'],
  [{ ...close, assured: true }, '["close",0,3,250,"SF",2]'],
  [{ ...close, inferred: true, assured: true, counters }, '["close",0,3,250,"SF",3,1,2,3,4]'],
  [{ ...close, openSeq: 0 }, '["close",0,10,250,"SF",0]'],
  [{ ...close, openSeq: 9 }, '["close",0,1,250,"SF",0]'],
  [{ ...close, ageMs: 0 }, '["close",0,3,0,"SF",0]'],
  [{ ...close, ageMs: 1_000_000 }, '["close",0,3,1000000,"SF",0]'],
  [{ ...amendment, kind: "update" }, '["update",0,3,250,"SF",0]'],
  [{ ...amendment, kind: "update", assured: true, counters }, '["update",0,3,250,"SF",2,1,2,3,4]'],
  [{ ...amendment, kind: "account", counters }, '["account",0,3,250,"SF",0,1,2,3,4]'],
  [{ ...close, counters, payload }, '["close",0,3,250,"SF",0,1,2,3,4,5,6]'],
  [{ ...amendment, kind: "account", counters, payload }, '["account",0,3,250,"SF",0,1,2,3,4,5,6]'],
  [
    {
      ...amendment,
      kind: "update",
      counters,
      payload: { initiatorBytes: 0, responderBytes: MAX },
    },
    `["update",0,3,250,"SF",0,1,2,3,4,0,${MAX}]`,
  ],
  [
    {
      ...amendment,
      kind: "account",
      counters: {
        initiatorPackets: 0,
        initiatorBytes: MAX,
        responderPackets: 0,
        responderBytes: MAX,
      },
    },
    `["account",0,3,250,"SF",0,0,${MAX},0,${MAX}]`,
  ],
  ...CONNECTION_STATES.map(
    (state) => [{ ...close, state }, `["close",0,3,250,"${state}",0]`] as const,
  ),
];

for (const [entry, line] of PAIRS) {
  test(`both ways: ${line}`, () => {
    assert.equal(encodeLine(entry, position), line);
    assert.deepEqual(decodeLine(line, position), entry);
  });
}

test("the default network is left out", () => {
  assert.equal(encodeLine({ ...open, network: "default" }, position), `["open",5,${T}]`);
});

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  "number of values": [
    '["open",5]',
    '["open",5,"i",6,"10.0.0.1",40000,"10.0.0.2"]',
    `["open",5,${T},1,null,"lab",0]`,
    '["close",0,3,250,"SF"]',
    '["close",0,3,250,"SF",0,1]',
    '["close",0,3,250,"SF",0,1,2,3]',
    '["close",0,3,250,"SF",0,1,2,3,4,5]',
    '["close",0,3,250,"SF",0,1,2,3,4,5,6,7]',
    '["close",0,3,250,"SF",0,1,2,3,4,5,6,7,8]',
  ],
  "absent values that were written": [
    `["open",5,${T},0]`,
    `["open",5,${T},1,null]`,
    `["open",5,${T},0,null]`,
    `["open",5,${T},null,null,"lab"]`,
    `["open",5,${T},0,null,"default"]`,
    `["open",5,${T},0,null,null]`,
    '["close",0,3,250,"SF",0,null,null,null,null]',
    '["close",0,3,250,"SF",0,null,null,null,null,5,6]',
    '["close",0,3,250,"SF",0,1,2,3,4,null,null]',
  ],
  role: [
    `["open",5,"x",6,"10.0.0.1",40000,"10.0.0.2",443]`,
    `["open",5,"I",6,"10.0.0.1",40000,"10.0.0.2",443]`,
    `["open",5,"",6,"10.0.0.1",40000,"10.0.0.2",443]`,
    `["open",5,null,6,"10.0.0.1",40000,"10.0.0.2",443]`,
    `["open",5,["i"],6,"10.0.0.1",40000,"10.0.0.2",443]`,
    `["open",5,"constructor",6,"10.0.0.1",40000,"10.0.0.2",443]`,
    `["open",5,"__proto__",6,"10.0.0.1",40000,"10.0.0.2",443]`,
  ],
  tuple: [
    '["open",5,"i",256,"10.0.0.1",40000,"10.0.0.2",443]',
    '["open",5,"i",-1,"10.0.0.1",40000,"10.0.0.2",443]',
    '["open",5,"i","6","10.0.0.1",40000,"10.0.0.2",443]',
    '["open",5,"i",6,"10.0.0.1",65536,"10.0.0.2",443]',
    '["open",5,"i",6,"10.0.0.1",40000,"10.0.0.2",-1]',
    '["open",5,"i",6,"10.0.0.1",null,"10.0.0.2",443]',
    '["open",5,"i",6,"10.0.0.01",40000,"10.0.0.2",443]',
    '["open",5,"i",6,"10.0.0.1",40000,"2001:DB8::1",443]',
    '["open",5,"i",6,"::ffff:10.0.0.1",40000,"10.0.0.2",443]',
    '["open",5,"i",6,"fe80::1%eth0",40000,"10.0.0.2",443]',
    '["open",5,"i",6,"",40000,"10.0.0.2",443]',
    '["open",5,"i",6,167772161,40000,"10.0.0.2",443]',
    '["open",5,"i",6,"10.0.0.1\\n",40000,"10.0.0.2",443]',
  ],
  "flags of an open": [
    `["open",5,${T},2]`,
    `["open",5,${T},255]`,
    `["open",5,${T},-1]`,
    `["open",5,${T},true]`,
  ],
  reply: [
    `["open",5,${T},0,[]]`,
    `["open",5,${T},0,{}]`,
    `["open",5,${T},0,"10.0.0.9"]`,
    `["open",5,${T},0,["10.0.0.9",1,"10.0.0.8"]]`,
    `["open",5,${T},0,["10.0.0.9",1,"10.0.0.8",1,1]]`,
    `["open",5,${T},0,["10.0.0.9",65536,"10.0.0.8",1]]`,
    `["open",5,${T},0,["nine",1,"10.0.0.8",1]]`,
    `["open",5,${T},0,["10.0.0.9",1,"10.0.0.8",-1]]`,
  ],
  network: [
    `["open",5,${T},0,null,""]`,
    `["open",5,${T},0,null,7]`,
    `["open",5,${T},0,null,"7"]`,
    `["open",5,${T},0,null,"a b"]`,
    `["open",5,${T},0,null,"__proto__"]`,
    `["open",5,${T},0,null,"${"n".repeat(64)}"]`,
  ],
  "distance to the open": [
    '["close",0,0,250,"SF",0]',
    '["close",0,-1,250,"SF",0]',
    '["close",0,11,250,"SF",0]',
    '["close",0,1.5,250,"SF",0]',
    '["close",0,"3",250,"SF",0]',
    '["close",0,9007199254740993,250,"SF",0]',
  ],
  age: [
    '["close",0,3,-1,"SF",0]',
    '["close",0,3,1000001,"SF",0]',
    '["close",0,3,0.5,"SF",0]',
    '["close",0,3,null,"SF",0]',
    '["close",0,3,9007199254740992,"SF",0]',
  ],
  state: [
    '["close",0,3,250,"sf",0]',
    '["close",0,3,250,"",0]',
    '["close",0,3,250,"S3",0]',
    '["close",0,3,250,null,0]',
    '["close",0,3,250,["SF"],0]',
  ],
  "flags of the others": [
    '["close",0,3,250,"SF",4]',
    '["close",0,3,250,"SF",-1]',
    '["close",0,3,250,"SF",null]',
    '["update",0,3,250,"SF",1]',
    '["update",0,3,250,"SF",3]',
    '["account",0,3,250,"SF",1,1,2,3,4]',
  ],
  counters: [
    '["close",0,3,250,"SF",0,-1,2,3,4]',
    '["close",0,3,250,"SF",0,1,2.5,3,4]',
    '["close",0,3,250,"SF",0,1,2,"3",4]',
    '["close",0,3,250,"SF",0,1,2,3,9007199254740992]',
    '["close",0,3,250,"SF",0,1,2,3,18446744073709551615]',
    '["close",0,3,250,"SF",0,1,2,3,null]',
    '["close",0,3,250,"SF",0,1,2,3,4,-5,6]',
    '["close",0,3,250,"SF",0,1,2,3,4,5,6.5]',
    '["close",0,3,250,"SF",0,1,2,3,4,5,"6"]',
    '["close",0,3,250,"SF",0,1,2,3,4,5,9007199254740992]',
  ],
};

for (const [what, lines] of Object.entries(REFUSED)) {
  describe(`refused for its ${what}`, () => {
    for (const line of lines) {
      test(line.slice(0, 90), () => {
        assert.throws(() => decodeLine(line, position), { name: "FormatError", code: "bad_entry" });
      });
    }
  });
}
