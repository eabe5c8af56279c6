import assert from "node:assert/strict";
import { it } from "node:test";
import { AddressBook } from "./address-book.ts";
import { NodeStream } from "./node-stream.ts";

it("of a network in which nothing is claimed any more nothing is left", () => {
  const book = new AddressBook();
  const [one, other] = [new NodeStream("a", "a", 0), new NodeStream("b", "b", 1)];
  const claim = (node: NodeStream, networks: Record<string, string[]>): void => {
    book.claim(node, networks);
    node.memory.addresses = networks;
  };
  claim(other, { default: ["10.0.0.2"], lab: ["10.0.0.2"] });
  for (let at = 0; at < 100; at++)
    claim(one, { [`made-up-${at}`]: ["10.0.0.1"], lab: ["10.0.0.1"] });
  assert.equal(book.networkCount, 3);
  assert.equal(book.lookup("made-up-99", "10.0.0.1").kind, "node");
  assert.equal(book.lookup("made-up-98", "10.0.0.1").kind, "nobody");
  book.release(one);
  assert.equal(book.networkCount, 2);
  assert.equal(book.lookup("lab", "10.0.0.2").kind, "node");
});
