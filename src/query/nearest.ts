/** The word that somebody may have meant. */

/** The candidate with the fewest typing mistakes to `word`, at most a third of its length; none otherwise. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestCost = Math.floor(word.length / 3) + 1;
  for (const candidate of candidates) {
    const cost = distance(word, candidate, bestCost);
    if (cost < bestCost) [best, bestCost] = [candidate, cost];
  }
  return best;
}

/** Letters to insert, remove or replace; `max` where it is as many or more. */
function distance(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) >= max) return max;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? max) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(replaced, (row[j] ?? max) + 1, (next[j - 1] ?? max) + 1));
    }
    row = next;
  }
  return Math.min(max, row[b.length] ?? max);
}
