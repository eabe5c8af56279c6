/** What a run leaves: what was done, what was found, what it cost. */
import type { LabOptions } from "./options.ts";
import type { Truth } from "./truth.ts";

/** A finding, as it was first concluded. */
export interface Found {
  readonly id: string;
  readonly kind: string;
  /** Hex ids of the nodes that it names. */
  readonly nodes: readonly string[];
  /** Hex ids of the nodes whose ledgers contradict each other by it; none of most kinds. */
  readonly between: readonly string[];
  /** Hex id of the connection, or empty. */
  readonly connection: string;
  readonly title: string;
  /** Journal time, Unix ms. */
  readonly atMs: number;
}

export interface Outcome {
  readonly options: LabOptions;
  readonly found: readonly Found[];
  readonly truths: readonly Truth[];
  readonly connections: number;
  readonly entries: number;
  /** Connections by verdict, as far as rows are told apart by it. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Refused frames of honest nodes by code: there must be none. */
  readonly honestRefusals: Readonly<Record<string, number>>;
  /** All answers of the intake by code. */
  readonly answers: Readonly<Record<string, number>>;
  readonly journalBytes: number;
  readonly totalMs: number;
  /** Processor time of the threads that make the traffic, admit it, and compare it. */
  readonly generatorCpuMs: number;
  readonly admissionCpuMs: number;
  readonly comparerCpuMs: number;
  readonly rssMaxMb: number;
}
