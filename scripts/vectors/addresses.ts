/** Addresses in their one spelling, and texts that are none. Names of nodes and networks too. */
import { canonicalAddress, parseAddress } from "../../src/format/address.ts";
import { isNodeName } from "../../src/format/enrolment.ts";
import { isNetworkName } from "../../src/format/network-name.ts";

const TEXTS = [
  "0.0.0.0",
  "10.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "1::",
  "0:0:0:0:0:0:0:0",
  "2001:DB8::1",
  "2001:0db8:0000:0000:0000:0000:0000:0001",
  "2001:db8:0:0:1:0:0:1",
  "2001:0:0:1:0:0:0:1",
  "2001:db8::1:1:1:1:1",
  "1:2:3:4:5:6:7::",
  "::ffff:10.0.0.1",
  "::FFFF:a00:1",
  "::10.0.0.1",
  "64:ff9b::192.0.2.33",
  "fe80::ABCD",
];

const REFUSED = [
  "",
  "10.0.0",
  "10.0.0.256",
  "10.0.0.01",
  "0x0a.0.0.1",
  " 10.0.0.1",
  "10.0.0.1\n",
  "10.0.0.1/32",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "12345::",
  "[::1]",
  "fe80::1%eth0",
  "::1.2.3",
];

const NAMES = [
  "web-1",
  "Web_1.example",
  "7",
  "10",
  "default",
  "constructor",
  "a",
  "n".repeat(63),
  "n".repeat(64),
  "",
  "-a",
  "a-",
  ".a",
  "_a",
  "__proto__",
  "a b",
  "a\n",
  "é",
];

export function addressVectors(): object {
  return {
    canonical: TEXTS.map((text) => ({
      text,
      canonical: canonicalAddress(text),
      bytes: Buffer.from(parseAddress(text)).toString("hex"),
    })),
    refused: REFUSED,
    names: NAMES.map((name) => ({
      name,
      nodeName: isNodeName(name),
      networkName: isNetworkName(name),
    })),
  };
}
