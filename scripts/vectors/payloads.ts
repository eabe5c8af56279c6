/** Payloads that hold a text, and payloads that a receiver refuses. */
import { createHash } from "node:crypto";
import { RAW_BYTES_MAX } from "../../src/format/limits.ts";
import { storedFrame } from "./stored-frame.ts";

const RAW =
  '["start",1800000000000,{"facts":{}}]\n["resume",5,{}]\n["resume",5,{}]\n["resume",5,{}]\n';
/** RAW as zstd 1.5 compresses it at level 3, and with a checksum. */
const COMPRESSED =
  "28b52ffd24558d010084025b227374617274222c3138302c7b226661637473223a7b7d7d5d0a5b22726573756d65222c352c7b020098491c0c92f7945ae5";
const STORED = storedFrame(Buffer.from(RAW));
const TICK = Buffer.from('["tick",0,{}]\n');

export function payloadVectors(): object {
  return { valid: valid(), invalid: invalid() };
}

function valid(): object[] {
  const facts = {
    rawBytes: RAW.length,
    sha256OfRaw: createHash("sha256").update(RAW).digest("hex"),
    raw: RAW,
  };
  return [
    { name: "stored", payload: STORED.toString("hex"), ...facts },
    { name: "compressed", payload: COMPRESSED, ...facts },
    {
      name: "nothing",
      payload: "",
      rawBytes: 0,
      sha256OfRaw: createHash("sha256").digest("hex"),
      raw: "",
    },
  ];
}

function invalid(): object[] {
  const more = Buffer.concat([STORED, Buffer.alloc(1)]);
  const skippable = Buffer.concat([Buffer.from("502a4d1800000000", "hex"), STORED]);
  const two = Buffer.concat([STORED, STORED]);
  const wide = Buffer.concat([Buffer.from("28b52ffd0078710000", "hex"), TICK]);
  /** 16 MiB of one byte, in 128 blocks of four bytes each. */
  const bomb = Buffer.concat([
    Buffer.from("28b52ffd0070", "hex"),
    ...Array.from({ length: 128 }, (_, index) =>
      Buffer.from(index === 127 ? "03001041" : "02001041", "hex"),
    ),
  ]);
  const rows: [name: string, payload: Buffer, rawBytes: number, code?: string][] = [
    ["not zstd", Buffer.from(RAW), RAW.length],
    ["holds more than announced", STORED, RAW.length - 1],
    ["holds less than announced", STORED, RAW.length + 1],
    ["a byte after the frame", more, RAW.length],
    ["two frames", two, RAW.length * 2],
    ["a skippable frame first", skippable, RAW.length],
    ["a window of 32 MiB", wide, TICK.length],
    ["a bomb of 16 MiB that announces 100 bytes", bomb, 100],
    ["an empty frame", Buffer.from("28b52ffd2000010000", "hex"), 0],
    ["more announced than allowed", STORED, RAW_BYTES_MAX + 1, "payload_too_large"],
  ];
  return rows.map(([name, payload, rawBytes, code = "bad_payload"]) => ({
    name,
    payload: payload.toString("hex"),
    rawBytes,
    code,
  }));
}
