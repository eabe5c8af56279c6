/** The server's own entries about nodes, read back from the journal: what control applies at its start. */
import { decodeFrame, decodeHeader } from "../format/batch.ts";
import { decompressPayload, forEachEntry } from "../format/payload.ts";
import type { ControlEntry } from "../control/control.ts";
import type { JournalPort } from "../ingest/journal-port.ts";

export async function* controlEntries(
  journal: Pick<JournalPort, "read">,
  fromIndex: number,
  serverNodeId: Uint8Array,
): AsyncGenerator<ControlEntry> {
  for await (const { type, frame } of journal.read(fromIndex)) {
    if (type !== "batch" || !isOwn(frame, serverNodeId)) continue;
    yield* entriesOf(frame);
  }
}

function isOwn(frame: Uint8Array, serverNodeId: Uint8Array): boolean {
  return Buffer.compare(decodeHeader(frame).nodeId, serverNodeId) === 0;
}

function entriesOf(frame: Uint8Array): ControlEntry[] {
  const { header, payload } = decodeFrame(frame);
  const found: ControlEntry[] = [];
  if (header.entryCount === 0) return found;
  forEachEntry(decompressPayload(payload, header.rawBytes), header, (entry) => {
    if (entry.kind === "enrolled" || entry.kind === "revoked" || entry.kind === "audit") {
      found.push(entry);
    }
  });
  return found;
}
