/** The greatest flow through a network with whole capacities, by Dinitz's algorithm: breadth first, then all shortest ways at once. */

/** Nodes are numbers from 0. The source is 0, the sink 1. */
export class MaxFlow {
  /** By edge; edge and reverse edge differ in the last bit. */
  readonly #to: number[] = [];
  readonly #left: number[] = [];
  readonly #edges: number[][];
  #levels: Int32Array;
  #next: Int32Array;

  constructor(nodes: number) {
    this.#edges = Array.from({ length: nodes }, () => []);
    this.#levels = new Int32Array(nodes);
    this.#next = new Int32Array(nodes);
  }

  join(from: number, to: number, capacity: number): void {
    this.#edges[from]?.push(this.#to.length);
    this.#to.push(to);
    this.#left.push(capacity);
    this.#edges[to]?.push(this.#to.length);
    this.#to.push(from);
    this.#left.push(0);
  }

  run(): void {
    while (this.#findLevels()) {
      this.#next.fill(0);
      while (this.#push());
    }
  }

  /** After `run`: the node is on the source's side of every least cut. */
  isReached(node: number): boolean {
    return (this.#levels[node] ?? -1) >= 0;
  }

  #findLevels(): boolean {
    const levels = this.#levels.fill(-1);
    levels[SOURCE] = 0;
    const queue = [SOURCE];
    for (const node of queue) {
      for (const edge of this.#edges[node] ?? []) {
        const to = this.#to[edge] ?? SOURCE;
        if ((this.#left[edge] ?? 0) === 0 || levels[to] !== -1) continue;
        levels[to] = (levels[node] ?? 0) + 1;
        queue.push(to);
      }
    }
    return this.isReached(SINK);
  }

  /** Along one shortest way, found by going on until stuck and then back; without recursion, for ways may be long. */
  #push(): boolean {
    const way: number[] = [];
    for (let node = SOURCE; node !== SINK;) {
      const edge = this.#onward(node);
      if (edge !== undefined) {
        way.push(edge);
        node = this.#to[edge] ?? SINK;
        continue;
      }
      const last = way.pop();
      if (last === undefined) return false;
      node = this.#to[last ^ 1] ?? SOURCE;
      this.#next[node] = (this.#next[node] ?? 0) + 1;
    }
    const amount = Math.min(...way.map((edge) => this.#left[edge] ?? 0));
    for (const edge of way) {
      this.#left[edge] = (this.#left[edge] ?? 0) - amount;
      this.#left[edge ^ 1] = (this.#left[edge ^ 1] ?? 0) + amount;
    }
    return true;
  }

  /** The next edge towards the sink that was not found to be a dead end. */
  #onward(node: number): number | undefined {
    const edges = this.#edges[node] ?? [];
    const level = (this.#levels[node] ?? 0) + 1;
    for (let at = this.#next[node] ?? 0; at < edges.length; at++) {
      this.#next[node] = at;
      const edge = edges[at] ?? 0;
      if ((this.#left[edge] ?? 0) > 0 && this.#levels[this.#to[edge] ?? SOURCE] === level) {
        return edge;
      }
    }
    this.#next[node] = edges.length;
    return undefined;
  }
}

const SOURCE = 0;
const SINK = 1;
