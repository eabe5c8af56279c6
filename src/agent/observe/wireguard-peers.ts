/**
 * What WireGuard counted for each peer. Its tool is asked for two lists that hold no secret; a
 * `dump` would hand out private keys.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { PeerTotals } from "../../format/entry.ts";
import { PEER_ADDRESSES_MAX, PEERS_MAX } from "../../format/limits.ts";
import { internText } from "./intern.ts";

/** Runs `wg show all …` and gives what it printed. */
export type ShowWireGuard = (what: "transfer" | "allowed-ips") => Promise<string>;

/** A stop waits for it. */
const TOOL_MS_MAX = 1000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/** The peers, at most `PEERS_MAX`: of more, those that carried the most. Rejects where the tool is missing or not allowed. */
export async function readPeers(show: ShowWireGuard = showAll): Promise<readonly PeerTotals[]> {
  return parsePeers(await show("transfer"), await show("allowed-ips"));
}

async function showAll(what: string): Promise<string> {
  const { stdout } = await promisify(execFile)("wg", ["show", "all", what], {
    encoding: "latin1",
    timeout: TOOL_MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return stdout;
}

/** `transfer`: interface, key, received, sent. `allowedIps`: interface, key, then prefixes, or `(none)`. */
export function parsePeers(transfer: string, allowedIps: string): readonly PeerTotals[] {
  const addresses = new Map<string, readonly string[]>();
  for (const [name, publicKey, prefixes = ""] of rows(allowedIps)) {
    addresses.set(`${name} ${publicKey}`, singleAddresses(prefixes));
  }
  const peers: PeerTotals[] = [];
  for (const [name = "", publicKey = "", received, sent] of rows(transfer)) {
    const [receivedBytes, sentBytes] = [Number(received), Number(sent)];
    if (!Number.isSafeInteger(receivedBytes) || !Number.isSafeInteger(sentBytes)) continue;
    peers.push({
      interface: name,
      publicKey,
      addresses: addresses.get(`${name} ${publicKey}`) ?? [],
      receivedBytes,
      sentBytes,
    });
  }
  if (peers.length <= PEERS_MAX) return peers;
  return peers.toSorted((a, b) => carried(b) - carried(a)).slice(0, PEERS_MAX);
}

function carried({ receivedBytes, sentBytes }: PeerTotals): number {
  return receivedBytes + sentBytes;
}

function rows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

/** Prefixes of one address alone name the peer; a network behind it does not. */
function singleAddresses(prefixes: string): readonly string[] {
  const found: string[] = [];
  for (const prefix of prefixes.split(" ")) {
    const [address = "", length] = prefix.split("/");
    if (length !== (address.includes(":") ? "128" : "32")) continue;
    const canonical = internText(address);
    if (canonical !== undefined && found.length < PEER_ADDRESSES_MAX) found.push(canonical);
  }
  return found;
}
