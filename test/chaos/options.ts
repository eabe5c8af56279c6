/** What a run is: how many nodes and connections, for how long, with which adversary. */
import type { MeshOptions } from "./mesh/mesh.ts";

export interface LabOptions extends MeshOptions {
  /** Conspirators that act as one, at most: what the comparison is told to withstand. */
  readonly colluders: number;
  /** Names of the attacks that are made; all by default. */
  readonly attacks: readonly string[] | undefined;
  /** Doers of each. */
  readonly doersEach: number;
}

/** 15 minutes of processor time a seed, for three threads: ten to twenty on two cores. */
export const FULL: LabOptions = {
  seed: 1,
  nodes: 1_000,
  connections: 10_000_000,
  trafficMs: 2_400_000,
  drainMs: 600_000,
  batchEntries: 1_000,
  without: [],
  colluders: 1,
  attacks: undefined,
  doersEach: 2,
};

/** Seconds, for the tests. */
export const SHORT: LabOptions = {
  ...FULL,
  nodes: 150,
  connections: 25_000,
  trafficMs: 900_000,
  drainMs: 360_000,
  doersEach: 1,
};
