/**
 * The machine that the agent runs on. The machine id is hashed with our own domain before it is
 * stored or sent: machine-id(5) asks that the raw one never leaves the machine.
 */
import { readFileSync } from "node:fs";
import { release, uptime } from "node:os";
import { domainHash } from "../format/identity.ts";
import type { Clock } from "../std/clock.ts";

export interface Machine {
  /** 32 hex digits; `unknown` where the machine has no id. */
  readonly machineId: string;
  readonly bootId: string;
  readonly kernel: string;
}

export function readMachine(machineIdFile = "/etc/machine-id"): Machine {
  const raw = readText(machineIdFile);
  return {
    machineId:
      raw === undefined
        ? "unknown"
        : domainHash("tallystick/machine/v1\n", Buffer.from(raw)).toString("hex", 0, 16),
    bootId: readText("/proc/sys/kernel/random/boot_id") ?? "unknown",
    kernel: release(),
  };
}

/** When the machine booted, by the agent's clock. */
export function bootAtMs(clock: Clock): number {
  return Math.max(0, Math.round(clock.nowMs() - uptime() * 1000));
}

function readText(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
