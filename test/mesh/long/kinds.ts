/** The kinds of traffic of the long run. Each has a port of its own, by which it is told apart afterwards. */
export const KINDS = {
  /** One question, one answer, over; some over IPv6. */
  short: { proto: "tcp", port: 7001 },
  /** Questions for minutes. */
  long: { proto: "tcp", port: 7002 },
  /** From a handful of source ports, each used again within seconds. */
  reuse: { proto: "tcp", port: 7003 },
  /** The initiator ends it by a reset, which may be lost. */
  reset: { proto: "tcp", port: 7004 },
  /** Nobody listens. */
  refused: { proto: "tcp", port: 7005 },
  /** A filter drops it without a word before the tracker sees it. */
  silent: { proto: "tcp", port: 7006 },
  /** From a container that its host masquerades. */
  boxed: { proto: "tcp", port: 7007 },
  /** To a container, through a port that its host publishes. */
  published: { proto: "tcp", port: 7008 },
  /** From a host behind a router that masquerades. */
  inner: { proto: "tcp", port: 7009 },
  /** Three questions and answers. */
  exchange: { proto: "udp", port: 7011 },
  /** A hundred datagrams at once, each answered. */
  burst: { proto: "udp", port: 7012 },
  /** Nobody answers. */
  oneway: { proto: "udp", port: 7013 },
  /** With pauses that one end's kernel takes for the end, and the other's does not. */
  paused: { proto: "udp", port: 7014 },
  /** As `exchange`, from behind the router. */
  innerudp: { proto: "udp", port: 7015 },
} as const satisfies Record<string, { proto: "tcp" | "udp"; port: number }>;

export type Kind = keyof typeof KINDS;

/** The kind of a row that the server tells, or undefined for what the run did not make. */
export function kindOf(proto: string, responderPort: number): Kind | undefined {
  const all = Object.entries(KINDS) as [Kind, { proto: string; port: number }][];
  return all.find(([, kind]) => kind.proto === proto && kind.port === responderPort)?.[0];
}
