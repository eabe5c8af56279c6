/** Node by node: the key, its signatures, the chain. */
import { genesisHash } from "../../format/batch.ts";
import { keyIdOf, nodeIdOf } from "../../format/identity.ts";
import type { Facts, NodeFacts } from "../facts.ts";
import { contradictions, runsOf } from "../runs.ts";
import { counted } from "../values.ts";
import { type Check, fails, holds, open, unless } from "./check.ts";
import { unsigned } from "./server.ts";

export function checkNodes(facts: Facts): Check[] {
  return facts.nodes.flatMap((node) => {
    const pieces = [...node.chain, ...node.kept];
    const raw = keyOf(node);
    if (raw === undefined) {
      const subject = `${node.name}: key`;
      const what = "its enrolment is not in this file, so nothing shows which key is its";
      // Batches that nobody can check prove nothing.
      return [pieces.length === 0 ? open(subject, what) : fails(subject, what)];
    }
    if (!nodeIdOf(raw).equals(Buffer.from(node.id, "hex"))) {
      return [fails(`${node.name}: key`, "the node's id is not the hash of this key")];
    }
    const key = holds(
      `${node.name}: key`,
      `the node's id is the hash of its key ${keyIdOf(raw).toString("hex")}`,
    );
    return pieces.length === 0 ? [key] : [key, signatures(node, raw), ...chain(node, raw)];
  });
}

function keyOf({ enrolled }: NodeFacts): Buffer | undefined {
  return enrolled === undefined ? undefined : Buffer.from(enrolled.entry.publicKey, "base64url");
}

function signatures({ name, chain: accepted, kept }: NodeFacts, raw: Buffer): Check {
  const whole = accepted.filter(({ kind }) => kind === "batch").length;
  const detail = `${accepted.length + kept.length} signed by the node's key; the entries of ${whole} are here and as signed`;
  return unless(`${name}: batches`, unsigned([...accepted, ...kept], raw), detail);
}

function chain({ name, chain: accepted }: NodeFacts, raw: Buffer): Check[] {
  const [first] = accepted;
  if (first === undefined) return [];
  const subject = `${name}: chain`;
  const reasons = contradictions(accepted);
  const isFirstEver = first.header.epoch === 0 && first.header.batchNo === 0;
  if (isFirstEver && !genesisHash(raw).equals(first.header.prevHash)) {
    reasons.push("its first batch does not begin the chain of this key");
  }
  const runs = runsOf(accepted);
  const detail = runs.map((run) => runText(run)).join("; then ");
  const check = unless(subject, reasons, `each batch names the one before: ${detail}`);
  const breaks = runs.length - 1;
  if (breaks === 0) return [check];
  const what = `what lies between: batches in ${counted(breaks, "place", "places")} are not in this file`;
  return [check, open(`${name}: between`, what)];
}

function runText(run: NodeFacts["chain"]): string {
  const [first, last] = [run[0]?.header, run.at(-1)?.header];
  if (first === undefined || last === undefined) return "";
  const from = `${first.epoch}/${first.batchNo}`;
  return run.length === 1 ? `${from} alone` : `${from} to ${last.epoch}/${last.batchNo}`;
}
