/**
 * What a few hosts tell of connections, half by half; played with the hosts' batches in either order, and
 * with a server that is stopped again and again: what is made of it must be the same.
 */
import assert from "node:assert/strict";
import type { Counters, OpenEntry, Role } from "../../src/format/entry.ts";
import { SeededRandom } from "../../src/std/seeded-random.ts";
import { linesOf, runLive, runTo } from "../reconcile/replay-run.ts";
import { MemoryStore } from "./memory-store.ts";
import type { ReplayRecord } from "./replay-mesh.ts";
import { SimMesh, type SimHost } from "./sim-mesh.ts";

/** Records between two stops of the server. */
const STOPS_APART = 31;
const SERVICE = 443;

export interface ToldHalf {
  readonly role: Role;
  /** Addresses as its host's kernel sees them. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol?: number;
  /** When it began, by a clock that is right; default: now. */
  readonly atMs?: number;
  readonly lastedMs?: number;
  readonly bytes?: number;
  /** A forwarder's: the address and port that it gives to the initiator. */
  readonly as?: { readonly ip: string; readonly port: number };
}

/** A half that was answered, open until it is ended. */
export interface Begun {
  /** It goes on. */
  update(lastedMs: number, bytes: number): void;
  close(lastedMs: number, bytes: number): void;
  /** It is over, and its kernel will tell its counters when it forgets it. */
  end(lastedMs: number): void;
  account(lastedMs: number, bytes: number): void;
}

/** One half, from its first packet to its last. */
export function tell(mesh: SimMesh, host: SimHost, half: ToldHalf): void {
  begin(mesh, host, half).close(half.lastedMs ?? 40, half.bytes ?? 1_000);
}

export function begin(mesh: SimMesh, host: SimHost, half: ToldHalf): Begun {
  const { role, from, to, port, as, protocol = 6 } = half;
  const openedMs = (half.atMs ?? mesh.nowMs) + host.offsetMs;
  const ends = { initiatorIp: from, initiatorPort: port, responderIp: to, responderPort: SERVICE };
  const reply = as && {
    sourceIp: to,
    sourcePort: SERVICE,
    destinationIp: as.ip,
    destinationPort: as.port,
  };
  const open: OpenEntry = {
    kind: "open",
    atMs: openedMs,
    role,
    tuple: { protocol, ...ends },
    pickup: false,
    ...(reply === undefined ? {} : { reply }),
  };
  const openSeq = host.emit(open);
  const said = (ageMs: number, bytes: number) => ({
    openSeq,
    atMs: openedMs + ageMs,
    ageMs,
    state: "SF" as const,
    assured: true,
    counters: counted(bytes),
  });
  return {
    update: (ageMs, bytes) => host.emit({ kind: "update", ...said(ageMs, bytes) }),
    close: (ageMs, bytes) => host.emit({ kind: "close", ...said(ageMs, bytes), inferred: false }),
    end: (ageMs) => {
      const { counters: _counters, ...told } = said(ageMs, 0);
      host.emit({ kind: "close", ...told, inferred: false });
    },
    account: (ageMs, bytes) => host.emit({ kind: "account", ...said(ageMs, bytes) }),
  };
}

function counted(bytes: number): Counters {
  return {
    initiatorPackets: 5,
    initiatorBytes: bytes,
    responderPackets: 5,
    responderBytes: bytes,
  };
}

/** Several times; returns the mesh of the first. */
export async function played(story: (mesh: SimMesh) => void): Promise<SimMesh> {
  const taken: ReplayRecord[] = [];
  const mesh = new SimMesh({ taken: (record) => taken.push(record) });
  story(mesh);
  const other = new SimMesh({ isReversed: true });
  story(other);
  assert.deepEqual(outcome(other), outcome(mesh), "in another order of the batches");
  await assertStoppable(taken);
  return mesh;
}

function outcome({ rows, open }: SimMesh): unknown {
  const verdicts = [...rows].flatMap(([port, byKey]) =>
    [...byKey].map(([key, words]) => `${port} ${key} ${words}`),
  );
  return { verdicts: verdicts.toSorted(), open };
}

async function assertStoppable(taken: readonly ReplayRecord[]): Promise<void> {
  const live = new MemoryStore();
  const journal = await runLive(taken, live, new SeededRandom(1));
  // A range is not left half done.
  journal.pieceMax = () => STOPS_APART;
  const stopped = new MemoryStore();
  for (let reached = 0; reached < journal.end;) {
    reached = await runTo(reached + STOPS_APART, {
      journal,
      store: stopped,
      journalFindings: (found) => assert.deepEqual(found, []),
    });
  }
  assert.deepEqual(await linesOf(stopped), await linesOf(live), "with stops");
}
