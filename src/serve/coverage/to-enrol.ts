/**
 * Whom to enrol next. What is counted is a day old in part: a peer without an agent then may be a
 * node by now. And every node talks to the server, which is no news to whoever runs it.
 */
import { type StoreReader } from "../query/store-reader.ts";
import type { PeerRow } from "./tally.ts";

/** So many are named. */
const PEERS_SHOWN = 10;

const CLAIMS = `SELECT claim.1 AS network, claim.2 AS addresses FROM (
  SELECT arrayJoin(JSONExtractKeysAndValuesRaw(memory, 'addresses')) AS claim
  FROM node_rows FINAL WHERE lower(hex(node_rows.id)) IN {ids:Array(String)})`;

export interface Taken {
  /** Claimed by a node by now. */
  readonly claims: Claims;
  /** The server's own, in whatever network its nodes meet it. */
  readonly isOwn: (address: string) => boolean;
}

/** Addresses by network. */
export type Claims = ReadonlyMap<string, ReadonlySet<string>>;

/** What the nodes with these ids claim. Throws the errors of the store. */
export async function readClaims(store: StoreReader, ids: readonly string[]): Promise<Claims> {
  const rows = await store.rows<{ network: string; addresses: string }>({
    text: CLAIMS,
    params: { ids },
  });
  const claims = new Map<string, Set<string>>();
  for (const { network, addresses } of rows) {
    const known = claims.get(network) ?? new Set();
    claims.set(network, known);
    for (const address of JSON.parse(addresses) as string[]) known.add(address);
  }
  return claims;
}

/** Of peers in their order, the first who are nobody yet. */
export function toEnrol<Peer extends Pick<PeerRow, "network" | "address">>(
  peers: readonly Peer[],
  { claims, isOwn }: Taken,
): Peer[] {
  const isFree = ({ network, address }: Peer): boolean =>
    claims.get(network)?.has(address) !== true && !isOwn(address);
  return peers.filter(isFree).slice(0, PEERS_SHOWN);
}
