/** The committed vectors: that they are what the code makes, and that reading them gives what they say. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { makeVectors } from "../../scripts/make-vectors.ts";
import { canonicalAddress, formatAddress, parseAddress } from "../../src/format/address.ts";
import {
  chainHash,
  decodeFrame,
  decodeHeader,
  genesisHash,
  verifyHeader,
} from "../../src/format/batch.ts";
import { AddressTable } from "../../src/format/address-table.ts";
import { ConnectionScanner } from "../../src/format/connection-scan.ts";
import { EntryBlock, toEntry } from "../../src/format/entry-block.ts";
import {
  isNodeName,
  parseEnrolmentKey,
  verifyEnrolment,
  verifyHeadRequest,
} from "../../src/format/enrolment.ts";
import type { Entry } from "../../src/format/entry.ts";
import { decodeLine, encodeLine } from "../../src/format/entry-line.ts";
import { halfId } from "../../src/format/half.ts";
import {
  keyIdOf,
  nodeIdOf,
  privateKeyFromSeed,
  publicKeyFromRaw,
  rawPublicKey,
} from "../../src/format/identity.ts";
import { isNetworkName } from "../../src/format/network-name.ts";
import { decodeEntries, decompressPayload } from "../../src/format/payload.ts";
import { openHead, openReceipt } from "../../src/format/receipt.ts";

const directory = new URL("../vectors/", import.meta.url);
type Row = Readonly<Record<string, string>>;
const bytes = (hex: string | undefined): Buffer => Buffer.from(hex ?? "missing", "hex");

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, directory), "utf8"));
}

/** Bytes as hex, as the vectors have them. */
function printable(value: object): Record<string, unknown> {
  const fields = Object.entries(value) as [string, unknown][];
  return Object.fromEntries(
    fields.map(([name, one]) => [
      name,
      one instanceof Uint8Array ? Buffer.from(one).toString("hex") : one,
    ]),
  );
}

describe("committed", () => {
  const made = makeVectors();
  for (const [name, text] of made) {
    test(`${name} is what scripts/make-vectors.ts writes`, () => {
      assert.equal(readFileSync(new URL(name, directory), "utf8"), text);
    });
  }

  test("no other file stands beside them", () => {
    assert.deepEqual(readdirSync(directory).sort(), [...made.keys()].sort());
  });
});

test("identities", () => {
  const { keys, halves } = load("identities") as {
    keys: Row[];
    halves: { nodeId: string; epoch: number; openSeq: number; halfId: string }[];
  };
  assert.ok(keys.length >= 3 && halves.length >= 4);
  for (const row of keys) {
    const publicKey = rawPublicKey(privateKeyFromSeed(bytes(row["seed"])));
    assert.equal(publicKey.toString("hex"), row["publicKey"]);
    assert.equal(nodeIdOf(publicKey).toString("hex"), row["nodeId"]);
    assert.equal(keyIdOf(publicKey).toString("hex"), row["keyId"]);
    assert.equal(genesisHash(publicKey).toString("hex"), row["genesisHash"]);
  }
  for (const row of halves) {
    assert.equal(halfId(bytes(row.nodeId), row.epoch, row.openSeq).toString("hex"), row.halfId);
  }
});

test("addresses and names", () => {
  const { canonical, refused, names } = load("addresses") as {
    canonical: { text: string; canonical: string; bytes: string }[];
    refused: string[];
    names: { name: string; nodeName: boolean; networkName: boolean }[];
  };
  for (const row of canonical) {
    assert.equal(canonicalAddress(row.text), row.canonical);
    assert.equal(Buffer.from(parseAddress(row.text)).toString("hex"), row.bytes);
    assert.equal(formatAddress(bytes(row.bytes)), row.canonical);
  }
  for (const text of refused) {
    assert.throws(() => canonicalAddress(text), { code: "bad_address" }, text);
  }
  for (const row of names) {
    assert.equal(isNodeName(row.name), row.nodeName, row.name);
    assert.equal(isNetworkName(row.name), row.networkName, row.name);
  }
});

interface LineRow {
  readonly name: string;
  readonly seq: number;
  readonly previousAtMs: number;
  readonly line: string;
  readonly entry: Entry;
  readonly code: string;
}

test("entries and their lines", () => {
  const rows = load("entries") as LineRow[];
  let scanned = 0;
  for (const row of rows) {
    assert.deepEqual(decodeLine(row.line, row), row.entry, row.line);
    assert.equal(encodeLine(row.entry, row), row.line);
    const block = new EntryBlock();
    const addresses = new AddressTable();
    const scanner = new ConnectionScanner(Buffer.from(`${row.line}\n`), addresses);
    if (scanner.scan(0, row, block) !== -1) {
      assert.deepEqual(toEntry(block, 0, addresses), row.entry, row.line);
      scanned++;
    }
  }
  assert.equal(new Set(rows.map(({ entry }) => entry.kind)).size, 20, "every kind");
  assert.ok(scanned >= 4, `the scanner took ${scanned}`);
});

describe("invalid lines", () => {
  for (const row of load("invalid-lines") as LineRow[]) {
    test(row.name, () => {
      assert.throws(() => decodeLine(row.line, row), { name: "FormatError", code: row.code });
      const scanner = new ConnectionScanner(Buffer.from(`${row.line}\n`), new AddressTable());
      assert.equal(scanner.scan(0, row, new EntryBlock()), -1, "nor does the scanner take it");
    });
  }
});

describe("payloads", () => {
  interface PayloadRow {
    readonly name: string;
    readonly payload: string;
    readonly rawBytes: number;
    readonly sha256OfRaw: string;
    readonly raw: string;
    readonly code: string;
  }
  const { valid, invalid } = load("payloads") as { valid: PayloadRow[]; invalid: PayloadRow[] };
  for (const row of valid) {
    test(row.name, () => {
      const raw = decompressPayload(bytes(row.payload), row.rawBytes);
      assert.equal(raw.toString(), row.raw);
      assert.equal(createHash("sha256").update(raw).digest("hex"), row.sha256OfRaw);
    });
  }
  for (const row of invalid) {
    test(`refused: ${row.name}`, () => {
      const { code } = row;
      assert.throws(() => decompressPayload(bytes(row.payload), row.rawBytes), { code });
    });
  }
});

test("receipts and heads", () => {
  const file = load("receipts") as { serverPublicKey: string; receipts: Row[]; heads: Row[] };
  const server = publicKeyFromRaw(bytes(file.serverPublicKey));
  for (const { bytes: hex, ...expected } of file.receipts) {
    assert.deepEqual(printable(openReceipt(bytes(hex), server)), expected);
  }
  for (const { bytes: hex, ...expected } of file.heads) {
    const head = openHead(bytes(hex), server, bytes(expected["nonce"]));
    assert.deepEqual(printable(head), expected);
  }
});

test("enrolment", () => {
  const file = load("enrolment") as {
    keys: Row[];
    refusedKeys: string[];
    proofs: Row[];
    headRequests: Row[];
  };
  for (const { text = "", ...parts } of file.keys) {
    assert.deepEqual(printable(parseEnrolmentKey(text)), parts);
  }
  for (const text of file.refusedKeys) {
    assert.throws(() => parseEnrolmentKey(text), { code: "bad_key" }, text);
  }
  for (const row of file.proofs) {
    const publicKey = bytes(row["publicKey"]);
    const proof = { publicKey, secret: bytes(row["secret"]), name: row["name"] ?? "" };
    assert.ok(verifyEnrolment(proof, bytes(row["signature"]), publicKeyFromRaw(publicKey)));
  }
  for (const row of file.headRequests) {
    const key = publicKeyFromRaw(rawPublicKey(privateKeyFromSeed(bytes(row["seed"]))));
    const request = { nodeId: bytes(row["nodeId"]), nonce: bytes(row["nonce"]) };
    assert.ok(verifyHeadRequest(request, bytes(row["signature"]), key));
  }
});

describe("batches", () => {
  interface BatchRow {
    readonly name: string;
    readonly header: Readonly<Record<string, unknown>>;
    readonly headerBytes: string;
    readonly signature: string;
    readonly chainHash: string;
    readonly raw: string;
    readonly entries: Entry[];
    readonly frame: string;
  }
  const file = load("batches") as { publicKey: string; batches: BatchRow[] };
  const key = publicKeyFromRaw(bytes(file.publicKey));

  for (const row of file.batches) {
    test(row.name, () => {
      const { header, headerBytes, signature, payload } = decodeFrame(bytes(row.frame));
      assert.equal(Buffer.from(headerBytes).toString("hex"), row.headerBytes);
      assert.equal(Buffer.from(signature).toString("hex"), row.signature);
      assert.ok(verifyHeader(headerBytes, signature, key));
      assert.deepEqual(printable(header), row.header);
      const digest = createHash("sha256").update(payload).digest("hex");
      assert.equal(digest, row.header["payloadHash"]);
      const raw = decompressPayload(payload, header.rawBytes);
      assert.equal(raw.toString(), row.raw);
      assert.deepEqual(decodeEntries(raw, header), row.entries);
    });
  }

  test("each carries the hash of the one before, the first the key's own", () => {
    let expected = genesisHash(bytes(file.publicKey)).toString("hex");
    for (const row of file.batches) {
      assert.equal(row.header["prevHash"], expected, row.name);
      expected = chainHash(bytes(row.headerBytes)).toString("hex");
      assert.equal(row.chainHash, expected);
    }
  });

  test("numbers go on, but for the hole that is declared", () => {
    const headers = file.batches.map((row) => decodeHeader(bytes(row.headerBytes)));
    assert.deepEqual(
      headers.map(({ epoch, batchNo, seqFirst }) => [epoch, batchNo, seqFirst]),
      [
        [0, 0, 0],
        [0, 1, 4],
        [0, 2, 7],
        [0, 3, 9],
        [0, 4, 10],
        [0, 5, 11],
        [1, 0, 12],
      ],
    );
  });
});
