/**
 * Counts of milliseconds in fixed bins: exact to the millisecond near zero, within a sixteenth
 * further out. Counting commutes, so what comes out does not depend on the order of the samples.
 */

/** Counts by bin; plain JSON. Bins below zero are those of the mirrored value, as negative numbers. */
export type Histogram = Record<string, number>;

/** Up to here each millisecond has its own bin; a power of two. */
const EXACT_BELOW_MS = 16;
const OCTAVE_OF_FIRST = 4;
/** Bins in each doubling beyond. */
const BINS_PER_OCTAVE = 8;
/** Whatever is further away is counted here: a bit more than two minutes. */
const FARTHEST_MS = 2 ** 17 - 1;

export function count(into: Histogram, ms: number): void {
  const bin = binOf(ms);
  into[bin] = (into[bin] ?? 0) + 1;
}

export function total(of: Histogram): number {
  let sum = 0;
  for (const bin in of) sum += of[bin] ?? 0;
  return sum;
}

/** The middle of the bin with the lower median. Undefined without samples. */
export function median(of: Histogram): number | undefined {
  const bins = Object.keys(of)
    .map(Number)
    .sort((a, b) => a - b);
  let left = Math.ceil(total(of) / 2);
  for (const bin of bins) {
    left -= of[String(bin)] ?? 0;
    if (left <= 0) return valueOf(bin);
  }
  return undefined;
}

/** Whole numbers only, so that every machine agrees. */
function binOf(ms: number): number {
  const away = Math.min(Math.round(Math.abs(ms)), FARTHEST_MS);
  if (away < EXACT_BELOW_MS) return ms < 0 ? -away : away;
  const octave = 31 - Math.clz32(away);
  const part = (away >> (octave - 3)) & (BINS_PER_OCTAVE - 1);
  const bin = EXACT_BELOW_MS + (octave - OCTAVE_OF_FIRST) * BINS_PER_OCTAVE + part;
  return ms < 0 ? -bin : bin;
}

function valueOf(bin: number): number {
  const away = Math.abs(bin);
  if (away < EXACT_BELOW_MS) return bin;
  const octave = OCTAVE_OF_FIRST + Math.floor((away - EXACT_BELOW_MS) / BINS_PER_OCTAVE);
  const part = (away - EXACT_BELOW_MS) % BINS_PER_OCTAVE;
  const widthMs = 2 ** (octave - 3);
  const middleMs = 2 ** octave + part * widthMs + widthMs / 2;
  return bin < 0 ? -middleMs : middleMs;
}
