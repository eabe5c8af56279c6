/** Whole numbers as people write them: `1500`, `64KiB`, `1.5MB`, `5m`. */
import { parseDuration } from "../../std/duration.ts";
import type { Field } from "../catalogue.ts";

const BYTES = /^(\d+(?:\.\d+)?)([kKMGT]?)(i?)B?$/;
const POWERS = ["", "K", "M", "G", "T"];

/** `undefined` for anything else, and for what no double holds exactly. */
export function numberValue(text: string, unit: Field["unit"]): number | undefined {
  if (/^\d+$/.test(text)) return safe(Number(text));
  if (unit === "bytes") return bytesOf(text);
  return unit === "duration" ? parseDuration(text) : undefined;
}

/** 1 kB is 1,000, 1 KiB is 1,024. */
function bytesOf(text: string): number | undefined {
  const [, amount, prefix = "", binary = ""] = BYTES.exec(text) ?? [];
  if (amount === undefined || (binary !== "" && prefix === "")) return undefined;
  const base = binary === "" ? 1_000 : 1_024;
  return safe(Math.round(Number(amount) * base ** POWERS.indexOf(prefix.toUpperCase())));
}

function safe(number: number): number | undefined {
  return Number.isSafeInteger(number) ? number : undefined;
}
