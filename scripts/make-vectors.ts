/**
 * Writes test/vectors/*.json: what an implementation in another language checks itself against.
 * The same bytes on every run; test/format/vectors.test.ts compares them with what is committed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { addressVectors } from "./vectors/addresses.ts";
import { batchVectors } from "./vectors/batches.ts";
import { enrolmentVectors } from "./vectors/enrolment.ts";
import { entryVectors } from "./vectors/entries.ts";
import { evidenceVectors } from "./vectors/evidence.ts";
import { identityVectors } from "./vectors/identities.ts";
import { invalidLineVectors } from "./vectors/invalid-lines.ts";
import { payloadVectors } from "./vectors/payloads.ts";
import { receiptVectors } from "./vectors/receipts.ts";

/** The content of each file by its name. */
export function makeVectors(): ReadonlyMap<string, string> {
  const files = {
    addresses: addressVectors(),
    batches: batchVectors(),
    enrolment: enrolmentVectors(),
    entries: entryVectors(),
    evidence: evidenceVectors(),
    identities: identityVectors(),
    "invalid-lines": invalidLineVectors(),
    payloads: payloadVectors(),
    receipts: receiptVectors(),
  };
  return new Map(
    Object.entries(files).map(([name, value]) => [
      `${name}.json`,
      `${JSON.stringify(value, undefined, 1)}\n`,
    ]),
  );
}

if (import.meta.main) {
  const directory = new URL("../test/vectors/", import.meta.url);
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of makeVectors()) {
    writeFileSync(new URL(name, directory), text);
    console.log(`test/vectors/${name}: ${text.length} bytes`);
  }
}
