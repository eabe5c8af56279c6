/** The server's own part: its signatures, the finding, its receipts. */
import { verifyHeader } from "../../format/batch.ts";
import type { Entry } from "../../format/entry.ts";
import { keyIdOf, publicKeyFromRaw } from "../../format/identity.ts";
import type { Facts } from "../facts.ts";
import type { Placed } from "../half-facts.ts";
import { type Piece, pieceName } from "../piece.ts";
import { counted } from "../values.ts";
import { type Check, fails, holds, open, unless } from "./check.ts";
import { mislabelled } from "./labels.ts";

/** Whose word it is, as far as the reader knows. */
export const SERVER_KEY = "server key";

/** `trusted`: the server's key as the reader knows it, 32 bytes. */
export function checkServer(facts: Facts, trusted: Uint8Array | undefined): Check[] {
  const problems = [...facts.problems, ...mislabelled(facts)];
  return [
    serverKey(facts, trusted),
    ...(problems.length === 0 ? [] : [unless("pieces", problems, "")]),
    serverSignatures(facts),
    finding(facts),
    decisions(facts),
    receipts(facts),
  ];
}

function serverKey({ data }: Facts, trusted: Uint8Array | undefined): Check {
  const key = data.serverKey.toString("base64url");
  if (trusted === undefined) {
    return open(SERVER_KEY, `that ${key} is your server's key: name yours with --server-key`);
  }
  const isTrusted = data.serverKey.equals(trusted);
  return isTrusted
    ? holds(SERVER_KEY, "it is the one that was named")
    : fails(SERVER_KEY, `the file is signed by ${key}, which is not the one that was named`);
}

function serverSignatures({ data, serverPieces }: Facts): Check {
  const reasons = unsigned(serverPieces, data.serverKey);
  const detail = `its signature is on ${counted(serverPieces.length, "batch", "batches")} of its own`;
  return unless("server signatures", reasons, detail);
}

/** Pieces that the key did not sign, as sentences. */
export function unsigned(pieces: readonly Piece[], rawKey: Uint8Array): string[] {
  const key = publicKeyFromRaw(rawKey);
  const keyId = keyIdOf(rawKey);
  return pieces
    .filter(
      ({ header, headerBytes, signature }) =>
        !keyId.equals(header.keyId) || !verifyHeader(headerBytes, signature, key),
    )
    .map((piece) => `${pieceName(piece)}: the signature is not of this key`);
}

function finding({ finding: found, data, cases }: Facts): Check {
  if (found === undefined)
    return fails("finding", `no batch of the server holds ${data.findingId}`);
  if (cases.length !== 1 + data.supportingIds.length) {
    return fails("finding", "no batch of the server holds a finding that is said to support it");
  }
  const state = cases[0]?.stood.standing.state ?? found.entry.state;
  return holds("finding", `${found.entry.finding}, ${state}: ${ownEntry(found)}`);
}

/** Whoever passes a file on can leave batches of the server out of it: nothing in the file counts them. */
function decisions({ cases, data }: Facts): Check {
  const [main] = cases;
  const since = main === undefined ? "" : ` after ${ownEntry(main.stood.last)}`;
  const what = `that nobody ruled otherwise, and that nothing resolved it${since}`;
  return open("decisions", `${what}: ask the server by tallystick findings --id ${data.findingId}`);
}

function ownEntry({ seq, piece }: Placed<Entry>): string {
  return `entry ${seq} of the server's ${pieceName(piece)}`;
}

/** A receipt binds a batch to its place in the journal and the time at which it came. */
function receipts({ nodes, receipts: opened }: Facts): Check {
  const pieces = nodes.flatMap(({ chain, kept }) => [...chain, ...kept]);
  const reasons = pieces.flatMap((piece) => {
    const { header, hash, kind } = piece;
    const receipt = opened.get(piece);
    if (receipt === undefined)
      return kind === "batch" ? [`${pieceName(piece)} has no receipt`] : [];
    const fits =
      kind === "batch" &&
      Buffer.from(receipt.nodeId).equals(header.nodeId) &&
      receipt.epoch === header.epoch &&
      receipt.batchNo === header.batchNo &&
      Buffer.from(receipt.head).toString("hex") === hash;
    return fits ? [] : [`the receipt of ${pieceName(piece)} is for another batch`];
  });
  return unless(
    "receipts",
    reasons,
    `the server signed for ${counted(opened.size, "batch", "batches")} of nodes`,
  );
}
