import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { canonicalAddress, compareAddresses, formatAddress, parseAddress } from "./address.ts";

const refused = { name: "FormatError", code: "bad_address" };

/** Each text and the one spelling of the same address. */
const CANONICAL: readonly (readonly [text: string, canonical: string])[] = [
  ["0.0.0.0", "0.0.0.0"],
  ["10.0.0.1", "10.0.0.1"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::0", "::"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["1:0:0:0:0:0:0:0", "1::"],
  ["2001:DB8::1", "2001:db8::1"],
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["fe80::ABCD", "fe80::abcd"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::FFFF:a00:1", "10.0.0.1"],
  ["0:0:0:0:0:ffff:0a00:0001", "10.0.0.1"],
  ["::ffff:0.0.0.0", "0.0.0.0"],
  ["::10.0.0.1", "::a00:1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["::fffe:1.2.3.4", "::fffe:102:304"],
  ["::ffff:0:1.2.3.4", "::ffff:0:102:304"],
];

const REFUSED = [
  "",
  " ",
  "localhost",
  "10.0.0",
  "10.0.0.1.2",
  "10.0.0.256",
  "10.0.0.01",
  "010.0.0.1",
  "0x0a.0.0.1",
  "167772161",
  "10.0.0.1 ",
  " 10.0.0.1",
  "10.0.0.1\n",
  "10.0.0.1\u0000",
  "10.0.0.1/32",
  "10.0.0.1:80",
  "١٠.0.0.1",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "12345::",
  "g::",
  "[::1]",
  "::1%lo",
  "fe80::1%eth0",
  "fe80::1%",
  "::1/128",
  "1:2:3:4:5:6:7:1.2.3.4",
  "::1.2.3",
  "::01.2.3.4",
  "::1 ",
  "x".repeat(100_000),
];

test("every spelling of an address has one canonical text", () => {
  for (const [text, canonical] of CANONICAL) {
    assert.equal(canonicalAddress(text), canonical, text);
    assert.equal(canonicalAddress(canonical), canonical, "the canonical text is its own");
    assert.deepEqual(parseAddress(text), parseAddress(canonical), text);
    assert.equal(formatAddress(parseAddress(text)), canonical, text);
  }
});

test("what is no address, or more than one, is refused with a short text", () => {
  for (const text of REFUSED) {
    assert.throws(() => canonicalAddress(text), refused, JSON.stringify(text.slice(0, 40)));
    assert.throws(() => parseAddress(text), refused, JSON.stringify(text.slice(0, 40)));
  }
  assert.throws(
    () => canonicalAddress("x".repeat(100_000)),
    (error: Error) => error.message.length < 200,
  );
});

test("bytes are in network order, IPv4 in its mapped place", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["10.1.2.3", "00000000000000000000ffff0a010203"],
    ["::1", "00000000000000000000000000000001"],
    ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"],
    ["ff02::fb", "ff0200000000000000000000000000fb"],
  ];
  for (const [text, hex] of cases) {
    assert.equal(Buffer.from(parseAddress(text)).toString("hex"), hex, text);
    assert.equal(formatAddress(Buffer.from(hex, "hex")), text, hex);
  }
});

test("other lengths than 16 bytes are refused", () => {
  for (const length of [0, 4, 15, 17]) {
    assert.throws(() => formatAddress(new Uint8Array(length)), refused, String(length));
  }
});

test("any 16 bytes come back from their text", () => {
  const random = new SeededRandom(11);
  for (let round = 0; round < 5_000; round++) {
    const bytes = random.bytes(16);
    for (let at = 0; at < 16; at += 2) if (random.chance()) bytes.fill(0, at, at + 2);
    if (random.chance(0.1)) bytes.fill(0, 0, 10).fill(0xff, 10, 12);
    const text = formatAddress(bytes);
    assert.deepEqual(Buffer.from(parseAddress(text)), bytes, text);
    assert.equal(canonicalAddress(text), text);
    assert.equal(text, text.toLowerCase());
  }
});

test("addresses are ordered as 16-byte numbers", () => {
  const ascending = [
    "::",
    "::1",
    "0.0.0.0",
    "9.255.0.0",
    "10.0.0.2",
    "10.0.0.10",
    "2001:db8::",
    "fe80::1",
  ];
  for (const [left, a] of ascending.entries()) {
    for (const [right, b] of ascending.entries()) {
      assert.equal(Math.sign(compareAddresses(a, b)), Math.sign(left - right), `${a} ${b}`);
    }
  }
  assert.throws(() => compareAddresses("10.0.0.1", "nowhere"), refused);
});
