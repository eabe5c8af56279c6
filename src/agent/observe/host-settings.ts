/**
 * What the agent needs from the kernel, as found; and, only where the person on the machine asked
 * for it (`--enable-tracking`), as set. The host comes first: no timeout is changed, nothing is
 * set unasked, and at the end everything is as it was before.
 *
 * Set: `nf_conntrack_events`, `_acct` and `_timestamp`, and the agent's own nft table (tracking-rule.ts).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { socketToolVersion } from "./socket-source.ts";
import { TrackingRule } from "./tracking-rule.ts";
import type { UdpTimeouts } from "./tracker.ts";

export type Facts = Record<string, string | number | boolean>;

interface Setting {
  readonly path: string;
  readonly before: string;
  readonly set: string;
}

const NETFILTER = "/proc/sys/net/netfilter/";
const RMEM_DEFAULT = "/proc/sys/net/core/rmem_default";
/** With the default 2, connections older than the first listener never make an event. */
const WANTED = ["nf_conntrack_events", "nf_conntrack_acct", "nf_conntrack_timestamp"];
const FOUND = [...WANTED, "nf_conntrack_max", "nf_conntrack_count", "nf_conntrack_tcp_loose"];
/**
 * About 25,000 events. The kernel clears out what has timed out in bursts of thousands, and each
 * makes an event; the default holds 170. Memory is charged only as it fills.
 */
const EVENT_BUFFER_BYTES = 32 * 1024 * 1024;

export class HostSettings {
  /** For the `start` entry: each setting as found, and what was set. */
  readonly facts: Facts;
  readonly udpTimeouts: UdpTimeouts;
  /** Undefined without `enableTracking`, or where the rule could not be added. */
  readonly rule: TrackingRule | undefined;
  readonly #settings: readonly Setting[];
  readonly #enableTracking: boolean;

  private constructor(
    own: Pick<HostSettings, "facts" | "udpTimeouts" | "rule">,
    settings: readonly Setting[],
    enableTracking: boolean,
  ) {
    this.facts = own.facts;
    this.udpTimeouts = own.udpTimeouts;
    this.rule = own.rule;
    this.#settings = settings;
    this.#enableTracking = enableTracking;
  }

  /** Reads, and with `enableTracking` sets. Never throws: what failed is among the facts. */
  static async prepare(options: { readonly enableTracking: boolean }): Promise<HostSettings> {
    const facts: Facts = {};
    for (const name of FOUND) facts[name] = readSetting(name) ?? "absent";
    const udpTimeouts = {
      unassuredMs: Number(readSetting("nf_conntrack_udp_timeout") ?? 30) * 1000,
      assuredMs: Number(readSetting("nf_conntrack_udp_timeout_stream") ?? 120) * 1000,
    };
    facts.nf_conntrack_udp_timeout = udpTimeouts.unassuredMs / 1000;
    facts.nf_conntrack_udp_timeout_stream = udpTimeouts.assuredMs / 1000;
    facts.enable_tracking = options.enableTracking;
    facts.ss = socketToolVersion() ?? "absent";
    if (!options.enableTracking) {
      return new HostSettings({ facts, udpTimeouts, rule: undefined }, [], false);
    }
    const rule = await addRule(facts);
    // After the rule: it loads the kernel's tracker where that is a module.
    const settings = WANTED.flatMap((name) => setSetting(name, "1", facts));
    return new HostSettings({ facts, udpTimeouts, rule }, settings, true);
  }

  /** How full the kernel's table is, 0 to 1; 0 where that cannot be read. */
  tableFill(): number {
    const count = Number(readSetting("nf_conntrack_count") ?? 0);
    const max = Number(readSetting("nf_conntrack_max") ?? 0);
    return max > 0 ? count / max : 0;
  }

  /**
   * Sockets opened between this call and the one returned get a large receive buffer: conntrack's
   * own option for it has no effect. Does nothing in a network namespace, where it cannot be set.
   */
  enlargeBuffer(): () => void {
    if (!this.#enableTracking) return () => {};
    const before = readText(RMEM_DEFAULT);
    if (before === undefined || Number(before) >= EVENT_BUFFER_BYTES) return () => {};
    if (!writeText(RMEM_DEFAULT, String(EVENT_BUFFER_BYTES))) return () => {};
    return () => {
      if (Number(readText(RMEM_DEFAULT)) === EVENT_BUFFER_BYTES) writeText(RMEM_DEFAULT, before);
    };
  }

  /** Takes back what was set, unless somebody has set it differently since. */
  async restore(): Promise<void> {
    await this.rule?.remove();
    for (const { path, before, set } of this.#settings) {
      if (readText(path) === set) writeText(path, before);
    }
  }
}

async function addRule(facts: Facts): Promise<TrackingRule | undefined> {
  const rule = new TrackingRule();
  const failure = await rule.add();
  facts.tracking_rule = failure ?? "added";
  return failure === undefined ? rule : undefined;
}

function setSetting(name: string, set: string, facts: Facts): Setting[] {
  const path = NETFILTER + name;
  const before = readText(path);
  facts[name] = before ?? "absent";
  if (before === undefined || before === set) return [];
  if (!writeText(path, set)) {
    facts[`${name}_set`] = "failed";
    return [];
  }
  facts[`${name}_set`] = set;
  return [{ path, before, set }];
}

function readSetting(name: string): string | undefined {
  return readText(NETFILTER + name);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return undefined;
  }
}

function writeText(path: string, value: string): boolean {
  try {
    writeFileSync(path, value);
    return true;
  } catch {
    return false;
  }
}
