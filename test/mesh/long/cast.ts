/** Who is in the long run, what is odd about each, and who calls whom. */
import { ipv6Of } from "../../lab/addresses.ts";
import { CONTAINER_IP } from "../../lab/masquerade.ts";
import type { Host } from "../../lab/namespaces.ts";
import type { Calls } from "./chatter.ts";
import { KINDS, type Kind } from "./kinds.ts";

/** Order gives addresses: ann is 10.77.0.1. */
export const CAST = {
  ann: "runs a container behind docker0, 172.17.0.1",
  ben: "runs a container behind docker0, 172.17.0.1 too",
  cat: "has 64 ports to call from",
  dot: "has a clock that is 30 s ahead",
  eve: "has an agent that is restarted, once in order and once killed",
  fay: "gets its state directory back from a copy",
  gus: "opts out, which is acknowledged",
  far: "is at the end of a slow line",
  gate: "masquerades for inn, and has an agent",
  inn: "is behind gate",
  leo: "is honest, or lies about ann and ben",
} as const;

export type Name = keyof typeof CAST;

export const NARROW_PORTS = "20000 20063";
export const CLOCK_OFFSET_MS = 30_000;
export const SLOW_LINE = { delayMs: 40, jitterMs: 20 } as const;
/** What a host publishes of its container: the port keeps its number. */
export const PUBLISHED = { from: KINDS.published.port, to: KINDS.published.port } as const;

/** A dozen ports for five calls a second to one peer: each comes again after two to three seconds. */
const REUSED_PORTS = Array.from({ length: 12 }, (_, index) => 19_000 + index);

/** Mean time between two calls of one host, at rate 1. */
const EVERY_MS = {
  short: 500,
  long: 15_000,
  reset: 4_000,
  refused: 10_000,
  silent: 15_000,
  exchange: 800,
  burst: 6_000,
  oneway: 6_000,
  paused: 10_000,
} as const satisfies Partial<Record<Kind, number>>;

/** What a host calls; `hosts` are all that can be called. `rate` 2 is twice as often. */
export function callsOf(caller: Host, hosts: readonly Host[], rate: number): Calls[] {
  const others = hosts.filter((host) => host !== caller);
  const to = others.map(({ ip }) => ip);
  const calls = (kind: Kind, everyMs: number, more: Partial<Calls> = {}): Calls => ({
    kind,
    to,
    everyMs: everyMs / rate,
    ...more,
  });
  const named = (...names: Name[]): string[] =>
    others.filter(({ name }) => names.includes(name as Name)).map(({ ip }) => ip);
  if (caller.ip === CONTAINER_IP) return [calls("boxed", 1_000)];
  if (caller.name === "inn") return [calls("inner", 500), calls("innerudp", 1_000)];
  const both = { to: [...to, ...others.map(ipv6Of)] };
  const usual = Object.entries(EVERY_MS).map(([kind, everyMs]) =>
    calls(kind as Kind, everyMs, kind === "short" || kind === "exchange" ? both : {}),
  );
  const published = calls("published", 2_000, { to: named("ann", "ben") });
  if (caller.name !== "cat") return [...usual, published];
  const reuse = calls("reuse", 200, { to: named("ann"), fromPorts: REUSED_PORTS });
  return [...usual, published, { ...reuse, everyMs: 200 }];
}
