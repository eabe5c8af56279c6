/** Batches that are wrong in some way: each mutant takes a node where it stands and makes one frame of it. */
import { type BatchHeader, decodeHeader, HEADER_BYTES } from "../../src/format/batch.ts";
import { FormatError } from "../../src/format/format-error.ts";
import { encodeEntries } from "../../src/format/payload.ts";
import { type Sealed, SimNode } from "../simulate/sim-node.ts";
import { flipBits } from "./flip-bits.ts";
import type { SeededRandom } from "../../src/std/seeded-random.ts";

export interface Mutant {
  readonly frame: Buffer;
  /** What the node signed. Only this very frame may be accepted; the node then moves on by it. */
  readonly sealed?: Sealed;
  /** It is honest, and must be acked. */
  readonly honest?: boolean;
}

type Mutation = (random: SeededRandom, node: SimNode) => Mutant;

const SIGNED_END = HEADER_BYTES + 64;

/** Bits of an honest frame flipped in a part of it; rarely twice the same one, then it is honest. */
function flipped(random: SeededRandom, node: SimNode, from?: number, to?: number): Mutant {
  const sealed = node.sign();
  return { frame: flipBits(random, sealed.frame, from, to), sealed };
}

const anyBit: Mutation = (random, node) => flipped(random, node);
const headerBit: Mutation = (random, node) => flipped(random, node, 0, HEADER_BYTES);
const signatureBit: Mutation = (random, node) => flipped(random, node, HEADER_BYTES, SIGNED_END);
const payloadBit: Mutation = (random, node) => flipped(random, node, SIGNED_END);
const truncated: Mutation = (random, node) => {
  const { frame } = node.sign();
  return { frame: frame.subarray(0, random.below(frame.length)) };
};
const extended: Mutation = (random, node) => ({
  frame: Buffer.concat([node.sign().frame, random.bytes(1 + random.below(2_000))]),
});
const noise: Mutation = (random) => ({ frame: random.bytes(random.below(3_000)) });

/** A header that is wrong and signed: what a broken or hostile agent can send. */
const signedHeader: Mutation = (random, node) => {
  const honest = node.sign();
  let frame = flipBits(random, honest.frame, 0, HEADER_BYTES);
  try {
    const sealed = node.sign({ header: decodeHeader(frame) });
    frame = sealed.frame;
    return { frame, sealed };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { frame };
  }
};

const NUMBERS = ["epoch", "batchNo", "seqFirst", "entryCount", "rawBytes", "flags"] as const;
const VALUES = [0, 1, 2, 3, 255, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1] as const;

/** Signed headers with numbers at their bounds. */
const boundary: Mutation = (random, node) => {
  const field = random.pick(NUMBERS);
  const near = field === "batchNo" ? node.batchNo + random.below(3) - 1 : random.pick(VALUES);
  const value = Math.max(0, random.chance(0.5) ? near : random.pick(VALUES));
  const header: Partial<BatchHeader> = { [field]: value };
  return sealedOrHonest(node, header);
};

/** Text that is wrong under a header that is right: signature, hash and sizes hold. */
const signedText: Mutation = (random, node) => {
  const entries = Array.from({ length: 1 + random.below(4) }, () => node.logEntry("text"));
  const raw = flipBits(random, Buffer.from(encodeEntries(entries, node.nextSeq)));
  const sealed = node.sign({ entries, raw });
  return { frame: sealed.frame, sealed };
};

const LINES: readonly [string, ...string[]] = [
  '["open",0,"i",6,"10.0.0.1",1,"10.0.0.2",2]',
  '["open",0,"i",6,"10.0.0.1",1,"10.0.0.2",2,0,["1.1.1.1",1,"2.2.2.2",2],"net"]',
  '["open",0,"x",6,"10.0.0.1",1,"::ffff:10.0.0.2",2]',
  '["close",0,1,5,"SF",3,1,2,3,4]',
  '["close",0,9007199254740991,5,"SF",3,1,2,3,4]',
  '["update",1e308,1,5,"S1",0]',
  '["update",0,-1,5,"S1",0]',
  '["gap",0,{"cause":"spool","count":null,"fromMs":0,"toMs":1,"seqs":[0,1]}]',
  '["gap",0,{"cause":"spool","count":null,"fromMs":0,"toMs":1,"seqs":[5,1]}]',
  '["log",0,{"severity":9,"body":"x","attributes":{"__proto__":1,"constructor":"y"}}]',
  '["log",0,{"severity":9,"body":"\\ud800","attributes":{}}]',
  '["addresses",0,{"networks":{"default":["10.0.0.1","fe80::1%eth0"]}}]',
  '["addresses",0,{"networks":{"default":["10.0.0.1"]}}]',
  '["constructor",0,{}]',
  '["__proto__",0,{}]',
  '["tick",0,{}]',
  '["finding",0,{}]',
  '["opt_out",0,{"origin":"flag"}]',
  '["resume",0,{}]',
  '["stop",0,{"reason":"x"}]',
  "[]",
  "{}",
  "null",
  "",
  "\u0000",
];

/** Lines of many kinds, good and bad, under a header that is right. */
const signedLines: Mutation = (random, node) => {
  const count = 1 + random.below(5);
  const lines = Array.from({ length: count }, () => random.pick(LINES));
  const raw = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const times = { firstAtMs: 0, lastAtMs: 0 };
  return sealedOrHonest(node, { ...times, entryCount: count }, raw);
};

const bomb: Mutation = (random, node) => {
  const raw = Buffer.alloc(1 << (16 + random.below(8)), random.chance(0.5) ? "[" : "a\n");
  return sealedOrHonest(node, { rawBytes: random.pick([10, 65_536, 1 << 20]) }, raw);
};

const deep: Mutation = (random, node) => {
  const depth = 1 + random.below(32_000);
  const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const text = random.pick([
    nested,
    `["log",0,{"severity":9,"body":"x","attributes":${nested}}]`,
    `["finding",0,{"evidence":${nested}}]`,
  ]);
  return sealedOrHonest(node, { entryCount: 1 }, Buffer.from(`${text}\n`));
};

const longLine: Mutation = (random, node) => {
  const body = "z".repeat(60_000 + random.below(10_000));
  const sealed = node.sign({ entries: [node.logEntry(body)] });
  return { frame: sealed.frame, sealed };
};

const stranger = new SimNode("stranger");
const otherKey: Mutation = (_random, node) => ({
  frame: node.sign({ key: stranger.key }).frame,
});
const unknownNode: Mutation = (random, node) => ({
  frame: node.sign({ header: { nodeId: random.bytes(16) } }).frame,
});

const honest: Mutation = (random, node) => {
  const entries = Array.from({ length: 1 + random.below(20) }, () => node.logEntry());
  const sealed = node.sign({ entries });
  return { frame: sealed.frame, sealed, honest: true };
};

/** Some stand twice: those that reach the deep checks. */
const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  anyBit,
  headerBit,
  signatureBit,
  payloadBit,
  truncated,
  extended,
  noise,
  signedHeader,
  signedHeader,
  boundary,
  boundary,
  signedText,
  signedText,
  signedLines,
  signedLines,
  bomb,
  deep,
  longLine,
  otherKey,
  unknownNode,
  honest,
  honest,
];

export function mutant(random: SeededRandom, node: SimNode): Mutant {
  return random.pick(MUTATIONS)(random, node);
}

/** Where the format itself refuses to encode the header, the bytes are patched by flipping instead. */
function sealedOrHonest(node: SimNode, header: Partial<BatchHeader>, raw?: Buffer): Mutant {
  try {
    const sealed = node.sign({ header, ...(raw === undefined ? {} : { raw }) });
    return { frame: sealed.frame, sealed };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { frame: node.sign().frame.subarray(1) };
  }
}
