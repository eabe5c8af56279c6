import assert from "node:assert/strict";
import { it } from "node:test";
import { tupleText } from "./tuple-text.ts";

const table: [protocol: number, initiatorIp: string, responderIp: string, text: string][] = [
  [6, "10.0.0.1", "10.0.0.2", "tcp 10.0.0.1:40000 → 10.0.0.2:443"],
  [17, "fd00::1", "10.0.0.2", "udp [fd00::1]:40000 → 10.0.0.2:443"],
  [132, "fd00::1", "fd00::2", "protocol 132 [fd00::1]:40000 → [fd00::2]:443"],
];
for (const [protocol, initiatorIp, responderIp, text] of table) {
  it(text, () => {
    const ports = { initiatorPort: 40_000, responderPort: 443 };
    assert.equal(tupleText({ protocol, initiatorIp, responderIp, ...ports }), text);
  });
}
