/** The thread that makes the mesh's traffic, a few seconds of it ahead of the admission. */
import { parentPort, workerData } from "node:worker_threads";
import { unleash } from "./attacks/adversary.ts";
import { ATTACKS } from "./attacks/registry.ts";
import type { Member } from "./intake.ts";
import { Mesh } from "./mesh/mesh.ts";
import { START_MS } from "./mesh/mesh-node.ts";
import type { Arrival } from "./mesh/post.ts";
import { Weather } from "./mesh/weather.ts";
import type { LabOptions } from "./options.ts";
import { threadCpuMs } from "./thread-cpu.ts";
import type { Truth } from "./truth.ts";

export interface GenerateOrders {
  readonly options: LabOptions;
  /** Slots: slices taken by the admission so far. */
  readonly taken: Int32Array;
}

/** What arrives within one second, and at the end what was really done. */
export type FromGenerator =
  | { readonly kind: "members"; readonly members: readonly Member[] }
  | {
      readonly kind: "slice";
      /** Server time, Unix ms. */
      readonly endMs: number;
      /** One frame behind the other. */
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly lengths: readonly number[];
      readonly atMs: readonly number[];
      readonly isHostile: readonly boolean[];
    }
  | {
      readonly kind: "end";
      readonly truths: readonly Truth[];
      readonly connections: number;
      /** Of the thread's own processor time. */
      readonly cpuMs: number;
    };

/** Slices that may wait: the generator is never much ahead, so memory is bounded. */
const AHEAD_MAX = 64;

/** Shares of the traffic's time in which things happen: clocks are to be known first. */
const WEATHER = { from: 0.15, to: 0.85 } as const;
const ATTACK = { from: 0.5, to: 0.9 } as const;

function main(port: NonNullable<typeof parentPort>, { options, taken }: GenerateOrders): void {
  const mesh = new Mesh(options);
  const { trafficMs } = options;
  const weather = new Weather(mesh, mesh.dice.fork());
  const window = { fromMs: trafficMs * WEATHER.from, toMs: trafficMs * WEATHER.to };
  const calm = weather.plan(mesh.topology.places, window);
  const chosen = ATTACKS.filter(({ name }) => options.attacks?.includes(name) ?? true);
  unleash(mesh, chosen, calm, {
    colluders: options.colluders,
    doersEach: options.doersEach,
    fromMs: trafficMs * ATTACK.from,
    toMs: trafficMs * ATTACK.to,
  });
  const post = (message: FromGenerator, transfer: ArrayBuffer[] = []) =>
    port.postMessage(message, transfer);
  post({ kind: "members", members: mesh.topology.nodes.map(memberOf) });
  let slices = 0;
  mesh.run((endMs, arrivals) => {
    for (let done = Atomics.load(taken, 0); slices - done >= AHEAD_MAX;) {
      Atomics.wait(taken, 0, done);
      done = Atomics.load(taken, 0);
    }
    const slice = sliceOf(START_MS + endMs, arrivals);
    post(slice, [slice.bytes.buffer]);
    slices++;
  });
  post({
    kind: "end",
    truths: mesh.ledger.truths,
    connections: mesh.halves.count,
    cpuMs: threadCpuMs(),
  });
}

function memberOf({ id, name, publicKey }: Member): Member {
  return { id, name, publicKey: Uint8Array.from(publicKey) };
}

function sliceOf(endMs: number, arrivals: readonly Arrival[]): FromGenerator & { kind: "slice" } {
  const lengths = arrivals.map(({ frame }) => frame.length);
  const bytes = new Uint8Array(lengths.reduce((all, length) => all + length, 0));
  let at = 0;
  for (const { frame } of arrivals) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return {
    kind: "slice",
    endMs,
    bytes,
    lengths,
    atMs: arrivals.map((one) => START_MS + one.atMs),
    isHostile: arrivals.map((one) => one.isHostile),
  };
}

if (parentPort !== null) main(parentPort, workerData as GenerateOrders);
