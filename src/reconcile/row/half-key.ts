/** Which connection a finding is about, as the key of its row: read from the finding's own evidence. */

/** Of the half that names the connection; all of it immutable. */
export interface HalfKey {
  /** Hex. */
  readonly node: string;
  readonly epoch: number;
  readonly seq: number;
  readonly openedMs: number;
}

/** The described half with the id `connection`; undefined where there is none. `evidence` is JSON. */
export function halfKeyOf(connection: string, evidence: string): HalfKey | undefined {
  if (connection === "") return undefined;
  const parts = Object.values(JSON.parse(evidence) as Record<string, unknown>).flat();
  for (const part of parts) {
    if (typeof part !== "object" || part === null) continue;
    const { half, node, epoch, seq, openedMs } = part as Partial<Record<string, unknown>>;
    if (half !== connection || typeof node !== "string") continue;
    const numbers = [epoch, seq, openedMs].map(Number);
    if (!numbers.every(Number.isSafeInteger)) continue;
    const [epochNo = 0, seqNo = 0, atMs = 0] = numbers;
    return { node, epoch: epochNo, seq: seqNo, openedMs: atMs };
  }
  return undefined;
}
