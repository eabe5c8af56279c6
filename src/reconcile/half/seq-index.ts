/**
 * Finds a half by the number of its open. A node counts its entries, and what a batch amends was opened
 * shortly before: so slots stand in pages of numbers that follow each other, and going through a batch
 * goes through memory in order. A page is looked for among a node's pages once, and then known.
 */

/** Numbers to a page: 128 bytes, because what lives on alone keeps a page of its own. */
const PAGE = 32;
const PAGES_MIN = 64;
/** Pages that a run knows without looking: where opens are, where their ends are, and some more. */
const KNOWN = 16;

/** The numbers of one node in one epoch. */
class Run {
  readonly epoch: number;
  /** Which page holds the numbers from `key * PAGE` on. */
  readonly pages = new Map<number, number>();
  readonly #knownKeys = new Float64Array(KNOWN).fill(-1);
  readonly #knownPages = new Int32Array(KNOWN);

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  /** −1 when there is none. */
  pageOf(key: number): number {
    const at = key & (KNOWN - 1);
    if (this.#knownKeys[at] === key) return this.#knownPages[at] ?? -1;
    const page = this.pages.get(key) ?? -1;
    if (page !== -1) this.#know(key, page);
    return page;
  }

  add(key: number, page: number): void {
    this.pages.set(key, page);
    this.#know(key, page);
  }

  remove(key: number): void {
    this.pages.delete(key);
    const at = key & (KNOWN - 1);
    if (this.#knownKeys[at] === key) this.#knownKeys[at] = -1;
  }

  #know(key: number, page: number): void {
    const at = key & (KNOWN - 1);
    this.#knownKeys[at] = key;
    this.#knownPages[at] = page;
  }
}

export class SeqIndex {
  /** By node; nearly always one, and another while halves of a former epoch are not decided. */
  readonly #runs: Run[][] = [];
  /** Slots plus one, by page; 0 where there is none. */
  #slots = new Int32Array(PAGES_MIN * PAGE);
  /** Slots in a page. */
  #counts = new Int32Array(PAGES_MIN);
  readonly #free: number[] = [];
  /** Pages below were in use at least once. */
  #used = 0;

  /** The slot of the half that `node` opened as number `seq` in `epoch`, or −1. */
  find(node: number, epoch: number, seq: number): number {
    const run = this.#runOf(node, epoch);
    if (run === undefined) return -1;
    const key = Math.floor(seq / PAGE);
    const page = run.pageOf(key);
    return page === -1 ? -1 : (this.#slots[page * PAGE + (seq - key * PAGE)] ?? 0) - 1;
  }

  /** Under a name that has none yet. */
  add(node: number, epoch: number, seq: number, slot: number): void {
    const run = this.#runOf(node, epoch) ?? this.#newRun(node, epoch);
    const key = Math.floor(seq / PAGE);
    let page = run.pageOf(key);
    if (page === -1) {
      page = this.#newPage();
      run.add(key, page);
    }
    this.#slots[page * PAGE + (seq - key * PAGE)] = slot + 1;
    this.#counts[page] = (this.#counts[page] ?? 0) + 1;
  }

  remove(node: number, epoch: number, seq: number): void {
    const run = this.#runOf(node, epoch);
    if (run === undefined) return;
    const key = Math.floor(seq / PAGE);
    const page = run.pageOf(key);
    if (page === -1) return;
    const at = page * PAGE + (seq - key * PAGE);
    if (this.#slots[at] === 0) return;
    this.#slots[at] = 0;
    const left = (this.#counts[page] ?? 0) - 1;
    this.#counts[page] = left;
    if (left > 0) return;
    run.remove(key);
    this.#free.push(page);
    if (run.pages.size === 0) this.#drop(node, run);
  }

  #runOf(node: number, epoch: number): Run | undefined {
    const runs = this.#runs[node];
    if (runs === undefined) return undefined;
    for (let at = runs.length - 1; at >= 0; at--) {
      const run = runs[at];
      if (run?.epoch === epoch) return run;
    }
    return undefined;
  }

  #newRun(node: number, epoch: number): Run {
    const run = new Run(epoch);
    const runs = this.#runs[node];
    if (runs === undefined) this.#runs[node] = [run];
    else runs.push(run);
    return run;
  }

  /** The last one stays: most likely it goes on. */
  #drop(node: number, run: Run): void {
    const runs = this.#runs[node] ?? [];
    if (runs.length > 1) runs.splice(runs.indexOf(run), 1);
  }

  #newPage(): number {
    const again = this.#free.pop();
    if (again !== undefined) return again;
    if (this.#used === this.#counts.length) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    slots.set(this.#slots);
    this.#slots = slots;
    const counts = new Int32Array(this.#counts.length * 2);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}
