/** The way out of a node, put together: stream, spool, chain, receipts, uplink and shipper of one state directory. */
import type { KeyObject } from "node:crypto";
import type { Entry } from "../format/entry.ts";
import { publicKeyFromRaw } from "../format/identity.ts";
import { decodeEntries, decompressPayload } from "../format/payload.ts";
import type { Clock } from "../std/clock.ts";
import type { AgentLog } from "./agent-log.ts";
import { NodeChain } from "./chain/node-chain.ts";
import type { RechainOptions } from "./chain/rechain.ts";
import { Receipts } from "./chain/receipts.ts";
import { SealedLog } from "./chain/sealed-log.ts";
import type { Enrolment, Identity, RememberedMachine } from "./identity.ts";
import { Shipper, type ShipperOptions } from "./ship/ship.ts";
import type { Uplink } from "./ship/uplink.ts";
import { EntryStream } from "./spool/entry-stream.ts";
import type { StatePaths } from "./state-directory.ts";

export interface DeliveryOptions {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly random: () => number;
  readonly identity: Identity;
  readonly enrolment: Enrolment;
  readonly machine: RememberedMachine;
  readonly sameMachine: boolean;
  readonly spoolBytesMax: number;
  readonly uplink: Pick<Uplink, "post">;
  readonly log: AgentLog;
  readonly completeToMs: () => number;
  readonly onEpoch: RechainOptions["onEpoch"];
  readonly onRevoked: ShipperOptions["onRevoked"];
  readonly onTakenBack: ShipperOptions["onTakenBack"];
  /** Puts the chain's end into an empty spool: after an opt-out, which removed it. */
  readonly prepare?: (log: SealedLog) => void;
}

export interface Delivery {
  readonly stream: EntryStream;
  readonly chain: NodeChain;
  readonly shipper: Shipper;
  /** The server has signed for batches of which nothing is here: the spool was removed. */
  readonly isEmptied: boolean;
  /** Entries numbered `seq` and above that are still on disk, in order. */
  entriesSince(seq: number): Generator<readonly [seq: number, entry: Entry]>;
  /** Notices, and declares, that somebody removed the spool. Never throws: it says once that it cannot be made anew. */
  checkSpool(): void;
  /** Delivers what it can within the bound and leaves the rest for the next start. */
  stop(flushMsMax: number): Promise<void>;
}

export function openDelivery(options: DeliveryOptions): Delivery {
  const { paths, identity, enrolment, log } = options;
  const sealed = SealedLog.open(paths.spool);
  options.prepare?.(sealed);
  const hadChain = sealed.position !== undefined;
  let shipper: Shipper | undefined;
  const stream = new EntryStream({
    ...options,
    numberingFile: paths.numbering,
    directory: paths.spool,
    bytesMax: options.spoolBytesMax,
    sealedTo: sealed.position?.nextSeq ?? 0,
    onBody: () => shipper?.nudge(),
    onDamage: ({ seqs = [] }) =>
      log.error(`the spool is damaged on disk; entries ${seqs.join(" to ")} are lost`),
    onLost: () => log.error("somebody removed the spool; what was not sent yet is lost"),
  });
  const serverKey: KeyObject = publicKeyFromRaw(Buffer.from(enrolment.serverKey, "base64url"));
  const receipts = Receipts.open(paths.receipts, serverKey);
  const chain = new NodeChain({ identity, stream, log: sealed, directory: paths.spool });
  shipper = new Shipper({ ...options, stream, chain, receipts, serverKey });
  const isEmptied = !hadChain && receipts.last !== undefined;
  const parts = { stream, chain, shipper, isEmptied };
  let isRefused = false;
  return {
    ...parts,
    *entriesSince(seq) {
      yield* sealedEntries(sealed, seq);
      yield* queuedEntries(stream, seq);
    },
    checkSpool() {
      try {
        stream.checkSpool();
        chain.checkSpool();
        isRefused = false;
      } catch (error) {
        if (!isRefused) log.error(`the spool cannot be made anew: ${String(error)}`);
        isRefused = true;
      }
    },
    async stop(flushMsMax) {
      stream.closeBody();
      await parts.shipper.stop(flushMsMax);
      await stream.end();
      await chain.end();
      receipts.close();
    },
  };
}

function* sealedEntries(log: SealedLog, seq: number): Generator<readonly [number, Entry]> {
  for (const { header, payload } of log.batches()) {
    const { seqFirst, entryCount, rawBytes } = header;
    if (entryCount === 0 || seqFirst + entryCount <= seq) continue;
    const entries = decodeEntries(decompressPayload(payload, rawBytes), { seqFirst, entryCount });
    yield* numbered(entries, seqFirst, seq);
  }
}

function* queuedEntries(stream: EntryStream, seq: number): Generator<readonly [number, Entry]> {
  for (const { payload, rawBytes, seqFirst, count } of stream.queue.unsent()) {
    if (seqFirst + count <= seq) continue;
    const raw = decompressPayload(payload, rawBytes);
    yield* numbered(decodeEntries(raw, { seqFirst, entryCount: count }), seqFirst, seq);
  }
}

function* numbered(
  entries: readonly Entry[],
  seqFirst: number,
  from: number,
): Generator<readonly [number, Entry]> {
  for (const [index, entry] of entries.entries()) {
    if (seqFirst + index >= from) yield [seqFirst + index, entry];
  }
}
