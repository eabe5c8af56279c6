/** Lines that a receiver refuses, each for one reason. The code is always `bad_entry`. */
interface InvalidLine {
  readonly name: string;
  readonly line: string;
  readonly seq?: number;
  readonly previousAtMs?: number;
}

const T = '6,"10.0.0.1",40000,"10.0.0.2",443';

const NOT_AN_ENTRY: readonly InvalidLine[] = [
  { name: "empty", line: "" },
  { name: "no array", line: "{}" },
  { name: "empty array", line: "[]" },
  { name: "unknown kind", line: '["tock",0,{}]' },
  { name: "kind in another case", line: '["Tick",0,{}]' },
  { name: "kind that every object has", line: '["constructor",0,{}]' },
  { name: "missing object", line: '["resume",0]' },
  { name: "one value more", line: '["resume",0,{},0]' },
  { name: "array for an object", line: '["resume",0,[]]' },
  { name: "time is a text", line: '["resume","0",{}]' },
  { name: "time before 1970", line: '["resume",-1,{}]' },
  { name: "time before 1970 by difference", line: '["resume",-6,{}]', previousAtMs: 5 },
  { name: "time in the year 10000", line: '["resume",253402300800000,{}]' },
  { name: "time above 2^53", line: '["resume",9007199254740993,{}]' },
];

const OTHER_SPELLING: readonly InvalidLine[] = [
  { name: "space", line: '["resume", 0,{}]' },
  { name: "leading space", line: ' ["resume",0,{}]' },
  { name: "carriage return", line: '["resume",0,{}]\r' },
  { name: "byte order mark", line: '\ufeff["resume",0,{}]' },
  { name: "minus zero", line: '["resume",-0,{}]' },
  { name: "fraction of an integer", line: '["resume",1.0,{}]' },
  { name: "exponent of an integer", line: '["resume",1e3,{}]' },
  { name: "needless escape", line: '["\\u0072esume",0,{}]' },
  { name: "escaped slash", line: '["stop",0,{"reason":"\\/"}]' },
  { name: "escape with capitals", line: '["stop",0,{"reason":"\\u001F"}]' },
  { name: "long form of a short escape", line: '["stop",0,{"reason":"\\u000a"}]' },
  { name: "escaped non-ASCII", line: '["stop",0,{"reason":"\\u00e9"}]' },
  { name: "lone surrogate", line: '["stop",0,{"reason":"\\ud800"}]' },
  { name: "raw control character", line: '["stop",0,{"reason":"\t"}]' },
  { name: "double member", line: '["stop",0,{"reason":"a","reason":"a"}]' },
  { name: "flags that say nothing", line: `["open",0,"i",${T},0]` },
  { name: "no reply written at the end", line: `["open",0,"i",${T},1,null]` },
  { name: "default network spelled out", line: `["open",0,"i",${T},0,null,"default"]` },
];

const BAD_CONNECTION: readonly InvalidLine[] = [
  { name: "role", line: `["open",0,"x",${T}]` },
  { name: "protocol above 255", line: '["open",0,"i",256,"10.0.0.1",1,"10.0.0.2",1]' },
  { name: "port above 65535", line: '["open",0,"i",6,"10.0.0.1",65536,"10.0.0.2",1]' },
  { name: "address not canonical", line: '["open",0,"i",6,"2001:DB8::1",1,"10.0.0.2",1]' },
  { name: "mapped address", line: '["open",0,"i",6,"::ffff:10.0.0.1",1,"10.0.0.2",1]' },
  { name: "unknown flag of an open", line: `["open",0,"i",${T},2]` },
  { name: "reply of three", line: `["open",0,"i",${T},0,["10.0.0.9",1,"10.0.0.8"]]` },
  { name: "network name", line: `["open",0,"i",${T},0,null,"10"]` },
  { name: "distance zero", line: '["close",0,0,0,"SF",0]', seq: 5 },
  { name: "distance before the stream", line: '["close",0,6,0,"SF",0]', seq: 5 },
  { name: "negative age", line: '["close",0,1,-1,"SF",0]', seq: 5 },
  { name: "open before 1970", line: '["close",0,1,1,"SF",0]', seq: 5 },
  { name: "state", line: '["close",0,1,0,"S3",0]', seq: 5 },
  { name: "unknown flag of a close", line: '["close",0,1,0,"SF",4]', seq: 5 },
  { name: "inferred update", line: '["update",0,1,0,"SF",1]', seq: 5 },
  { name: "half the counters", line: '["close",0,1,0,"SF",0,1,2]', seq: 5 },
  { name: "half the payload", line: '["close",0,1,0,"SF",0,1,2,3,4,5]', seq: 5 },
  { name: "negative payload", line: '["close",0,1,0,"SF",0,1,2,3,4,-5,6]', seq: 5 },
  { name: "more than payload", line: '["close",0,1,0,"SF",0,1,2,3,4,5,6,7,8]', seq: 5 },
  { name: "negative counter", line: '["close",0,1,0,"SF",0,-1,2,3,4]', seq: 5 },
  { name: "counter above 2^53 − 1", line: '["close",0,1,0,"SF",0,1,2,3,9007199254740992]', seq: 5 },
];

const ETH0 =
  '{"index":2,"name":"eth0","claimed":true,"receivedBytes":1,"sentBytes":2,"receivedPackets":3,"sentPackets":4}';
const PEER =
  '{"interface":"wg0","publicKey":"+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=","addresses":["10.0.0.2"],"receivedBytes":1,"sentBytes":2}';

const BAD_OBJECT: readonly InvalidLine[] = [
  { name: "unknown field", line: '["stop",0,{"reason":"a","more":1}]' },
  { name: "missing field", line: '["stop",0,{}]' },
  { name: "prototype", line: '["stop",0,{"__proto__":{"reason":"a"}}]' },
  { name: "text too long", line: `["stop",0,{"reason":"${"x".repeat(257)}"}]` },
  { name: "gap cause", line: '["gap",0,{"cause":"other","count":1,"fromMs":0,"toMs":0}]' },
  {
    name: "gap numbers backwards",
    line: '["gap",0,{"cause":"spool","count":1,"fromMs":0,"toMs":0,"seqs":[2,1]}]',
  },
  { name: "severity", line: '["log",0,{"severity":0,"body":"","attributes":{}}]' },
  { name: "null attribute", line: '["log",0,{"severity":9,"body":"","attributes":{"a":null}}]' },
  { name: "nested attribute", line: '["log",0,{"severity":9,"body":"","attributes":{"a":{}}}]' },
  {
    name: "attribute name with a leading digit",
    line: '["log",0,{"severity":9,"body":"","attributes":{"1a":1}}]',
  },
  {
    name: "attribute named __proto__",
    line: '["log",0,{"severity":9,"body":"","attributes":{"__proto__":1}}]',
  },
  { name: "address list", line: '["addresses",0,{"networks":{"default":["10.0.0.01"]}}]' },
  { name: "totals without interfaces", line: '["totals",0,{"peers":[]}]' },
  { name: "interfaces as an object", line: '["totals",0,{"interfaces":{}}]' },
  {
    name: "interface without name",
    line: `["totals",0,{"interfaces":[${ETH0.replace("eth0", "")}]}]`,
  },
  {
    name: "interface that lacks a counter",
    line: `["totals",0,{"interfaces":[${ETH0.replace(',"sentPackets":4', "")}]}]`,
  },
  {
    name: "interface with a member more",
    line: `["totals",0,{"interfaces":[${ETH0.replace("}", ',"mtu":1500}')}]}]`,
  },
  {
    name: "interface that counted backwards",
    line: `["totals",0,{"interfaces":[${ETH0.replace(":1,", ":-1,")}]}]`,
  },
  {
    name: "too many interfaces",
    line: `["totals",0,{"interfaces":[${Array(129).fill(ETH0).join(",")}]}]`,
  },
  {
    name: "peer with a cut key",
    line: `["totals",0,{"interfaces":[],"peers":[${PEER.replace("/s=", "/t=")}]}]`,
  },
  {
    name: "peer with a network for an address",
    line: `["totals",0,{"interfaces":[],"peers":[${PEER.replace("10.0.0.2", "10.0.0.0/24")}]}]`,
  },
  { name: "event classes", line: '["degraded",0,{"events":"some","reason":""}]' },
];

export function invalidLineVectors(): object[] {
  return [...NOT_AN_ENTRY, ...OTHER_SPELLING, ...BAD_CONNECTION, ...BAD_OBJECT].map(
    ({ name, line, seq = 0, previousAtMs = 0 }) => ({
      name,
      seq,
      previousAtMs,
      line,
      code: "bad_entry",
    }),
  );
}
