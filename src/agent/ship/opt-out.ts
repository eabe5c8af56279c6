/**
 * Refusing: one signed `opt_out` entry, then nothing leaves the node and nothing is kept. What was
 * recorded before and is not sent yet is removed, not sent.
 *
 *   1. opt-out.json is written with the chain's end     crash: the refusal holds; go on with 2
 *   2. the spool and the checkpoint are removed         crash: same
 *   3. the head is asked for, the batch sealed into opt-out.json
 *                                                       crash: the same batch is sent again
 *   4. sent; on the receipt only the chain's end stays  crash: sent again, answered as a duplicate
 *
 * Only this one batch may wait on disk until the server can be reached.
 */
import { rmSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { FLAG } from "../../format/batch.ts";
import type { Entry, OptOutEntry } from "../../format/entry.ts";
import { decodeFrame } from "../../format/batch.ts";
import { openReceipt } from "../../format/receipt.ts";
import type { Clock } from "../../std/clock.ts";
import { backOffMs, wait } from "../../std/retry.ts";
import type { AgentLog } from "../agent-log.ts";
import {
  type ChainPosition,
  genesisPosition,
  positionAfter,
  positionFromJson,
  positionToJson,
  samePosition,
} from "../chain/chain-position.ts";
import { crashPoint } from "../../std/crash-point.ts";
import { epochEntries } from "../chain/epoch.ts";
import { requestHead } from "./head-request.ts";
import type { Identity, RememberedMachine } from "../identity.ts";
import { readJson, removeFile, replaceFile } from "../json-file.ts";
import { RETRY_FIRST_MS, RETRY_LAST_MS, STUCK_RETRY_MS } from "../limits.ts";
import { bootAtMs } from "../machine.ts";
import { afterRefusal } from "../chain/refusals.ts";
import { contentOfEntries, seal } from "../chain/seal.ts";
import { SealedLog } from "../chain/sealed-log.ts";
import type { StatePaths } from "../state-directory.ts";
import type { Answer, Uplink } from "./uplink.ts";

/** What is on disk while the node refuses. */
export interface OptOutRecord {
  readonly origin: string;
  readonly atMs: number;
  /** The chain's end before the opt-out batch; after it once `sent`. */
  readonly position: ChainPosition;
  /** The sealed batch, while it waits for its receipt. */
  readonly frame?: Buffer;
  readonly sent: boolean;
}

export function loadOptOut(paths: StatePaths): OptOutRecord | undefined {
  const value = readJson(paths.optOut) as Record<string, unknown> | undefined;
  if (value === undefined) return undefined;
  const { origin, atMs, position, frame, sent } = value;
  return {
    origin: String(origin),
    atMs: Number(atMs),
    position: positionFromJson(position),
    sent: sent === true,
    ...(typeof frame === "string" ? { frame: Buffer.from(frame, "base64url") } : {}),
  };
}

/** Steps 1 and 2. */
export function beginOptOut(
  paths: StatePaths,
  begin: {
    readonly identity: Identity;
    readonly origin: string;
    readonly nowMs: number;
  },
): OptOutRecord {
  const existing = loadOptOut(paths);
  const { identity, origin, nowMs } = begin;
  const record = existing ?? {
    origin,
    atMs: nowMs,
    position: chainEnd(paths, identity),
    sent: false,
  };
  if (existing === undefined) save(paths, record);
  crashPoint("agent: opt-out begun");
  rmSync(paths.spool, { recursive: true, force: true });
  rmSync(paths.live, { force: true });
  return record;
}

/** The refusal is over; call it once the `resume` entry is durable. */
export function endOptOut(paths: StatePaths): void {
  removeFile(paths.optOut);
}

export interface OptOutDelivery {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly random: () => number;
  readonly identity: Identity;
  readonly serverKey: KeyObject;
  readonly machine: RememberedMachine;
  readonly sameMachine: boolean;
  readonly uplink: Pick<Uplink, "post">;
  readonly log: AgentLog;
  readonly signal: AbortSignal;
}

/** Steps 3 and 4, for as long as it takes. Resolves when it is sent, the key revoked, or on `signal`. */
export async function deliverOptOut(record: OptOutRecord, delivery: OptOutDelivery): Promise<void> {
  const { clock, random, signal } = delivery;
  let current: OptOutRecord = record;
  for (let failures = 1; !current.sent && !signal.aborted; failures++) {
    const step =
      current.frame === undefined
        ? await sealBatch(current, delivery)
        : await sendBatch(current, delivery);
    if (step === "halt") return;
    if (typeof step === "object") {
      current = step;
      save(delivery.paths, current);
      crashPoint(current.sent ? "agent: opt-out acked" : "agent: opt-out sealed");
      failures = 0;
      continue;
    }
    const delayMs = step === "wait" ? STUCK_RETRY_MS : backOffMs(failures, BACK_OFF, random);
    await wait(delayMs, clock, signal).catch(() => undefined);
  }
}

const BACK_OFF = { firstDelayMs: RETRY_FIRST_MS, delayMsMax: RETRY_LAST_MS };

/** The record of the next state, or what to do instead of going on. */
type Step = OptOutRecord | "later" | "wait" | "halt";

async function sealBatch(record: OptOutRecord, delivery: OptOutDelivery): Promise<Step> {
  const answer = await requestHead(delivery);
  if (answer.outcome !== "head") return trouble(answer, delivery);
  const { head } = answer;
  const { identity, clock } = delivery;
  const isContinued = samePosition(record.position, head);
  const after = isContinued ? record.position : { ...head, epoch: head.epoch + 1, batches: 0 };
  const entries = isContinued
    ? [optOutEntry(record)]
    : [...broken(record, delivery, head), optOutEntry(record)];
  const moment = { closedAtMs: clock.nowMs(), completeToMs: 0, bootAtMs: bootAtMs(clock) };
  const content = contentOfEntries(entries, after.nextSeq, moment);
  const flags = FLAG.optOut | (isContinued ? 0 : FLAG.epochStart);
  return { ...record, frame: seal(content, after, { identity, flags }).frame };
}

async function sendBatch(record: OptOutRecord, delivery: OptOutDelivery): Promise<Step> {
  const { uplink, signal, serverKey, log } = delivery;
  const { frame = Buffer.alloc(0), ...rest } = record;
  const answer = await uplink.post("/ingest/v1/batches", frame, signal);
  const { header } = decodeFrame(frame);
  if (answer.outcome !== "ok") {
    const isBroken = answer.outcome === "refused" && afterRefusal(answer.code) === "recover";
    return isBroken ? { ...rest, position: positionAfter(header) } : trouble(answer, delivery);
  }
  try {
    const receipt = openReceipt(
      Buffer.from(String(answer.body["receipt"]), "base64url"),
      serverKey,
    );
    if (receipt.batchNo === header.batchNo && receipt.epoch === header.epoch) {
      return { ...rest, position: positionAfter(header), sent: true };
    }
  } catch {
    // Said below.
  }
  log.warn("the receipt of the opt-out is not the server's");
  return "later";
}

function trouble(answer: Exclude<Answer, { outcome: "ok" }>, { log }: OptOutDelivery): Step {
  if (answer.outcome === "later") return "later";
  log.error(`the server refused the opt-out: ${answer.code}`, { code: answer.code });
  return afterRefusal(answer.code) === "halt" ? "halt" : "wait";
}

function broken(
  { position }: OptOutRecord,
  { clock, machine, sameMachine }: OptOutDelivery,
  head: ChainPosition,
): Entry[] {
  const cause = sameMachine ? "state" : "clone";
  const nothing = { last: undefined, receipt: undefined, again: undefined, headAtMs: 0 };
  return epochEntries({ cause, nowMs: clock.nowMs(), machine, position, head, ...nothing });
}

/** Puts the chain's end back into a spool that the refusal had removed. */
export function restoreChain(log: SealedLog, { position, frame }: OptOutRecord): void {
  if (log.position !== undefined) return;
  log.anchor(position);
  if (frame === undefined) return;
  log.append({ frame, position: positionAfter(decodeFrame(frame).header) });
}

/** Also the first entry of a stream that resumes before its refusal was ever sent. */
export function optOutEntry({ origin, atMs }: OptOutRecord): OptOutEntry {
  return { kind: "opt_out", atMs, origin };
}

function chainEnd(paths: StatePaths, identity: Identity): ChainPosition {
  const log = SealedLog.open(paths.spool);
  const position = log.position ?? genesisPosition(identity.publicKey);
  log.close();
  return position;
}

function save(paths: StatePaths, record: OptOutRecord): void {
  const { position, frame, ...rest } = record;
  const json = {
    ...rest,
    position: positionToJson(position),
    ...(frame === undefined ? {} : { frame: frame.toString("base64url") }),
  };
  replaceFile(paths.optOut, `${JSON.stringify(json)}\n`);
}
