/** Payload bytes on a real kernel: both ends of each connection say what the programs wrote, whatever is lost on the way. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { enlargeEventBuffer } from "../lab/event-buffer.ts";
import { cannotRun, Mesh, type Host } from "../lab/namespaces.ts";
import { until } from "../lab/until.ts";
import type { Told } from "./closing.ts";
import { Observer, run, start, type Printed } from "./observer-process.ts";

const skip = cannotRun();
const CLOSING = fileURLToPath(new URL("closing.ts", import.meta.url));
const ROUNDS = 25;
const FIRST_PORT = 20_000;

/** `[initiatorBytes, responderBytes]` of each half that has them, by the initiator's port. */
type Payloads = ReadonlyMap<number, readonly [number, number]>;

test(
  "payload bytes are what the programs wrote, at both ends, with 5 % of packets lost",
  { skip },
  async (context) => {
    await using mesh = await Mesh.open({ prefix: `tspb-${process.pid}`, hosts: ["a", "b"] });
    const [a, b] = [mesh.host("a"), mesh.host("b")];
    await mesh.lose(5);
    const buffer = enlargeEventBuffer();
    context.after(() => buffer[Symbol.dispose]());
    await using atA = await Observer.start(a);
    await using atB = await Observer.start(b);
    buffer[Symbol.dispose]();
    using serving = start(b, process.execPath, CLOSING, "serve");
    if (serving.stdout !== null) await once(serving.stdout, "data");

    const told = talk(a, b);
    const orderly = told.filter(({ ending }) => !ending.endsWith("resets"));
    for (const [host, observer] of [
      [a, atA],
      [b, atB],
    ] as const) {
      await until("the final counters of all", async () => {
        run(host, "conntrack", "-L");
        await observer.settled();
        return observer.of("account").length >= orderly.length * 0.99;
      });
    }

    const [sentByA, sentByB] = [payloads(atA), payloads(atB)];
    const ofOne = told.map((one) => check(one, sentByA.get(one.port), sentByB.get(one.port)));
    assert.deepEqual(
      ofOne.flatMap(({ wrong }) => wrong),
      [],
    );
    const noted = ofOne.filter(({ isNoted }) => isNoted).length;
    const short = ofOne.reduce((sum, one) => sum + one.short, 0);
    context.diagnostic(
      `${noted} of ${orderly.length} orderly connections have it at both ends; ${short} ends counted one byte less`,
    );
    assert.ok(noted >= orderly.length * 0.9, `${noted} of ${orderly.length}`);
    for (const { ending, port } of told) {
      if (ending.endsWith("resets")) assert.ok(!sentByA.has(port) && !sentByB.has(port), ending);
    }
    for (const observer of [atA, atB]) assert.deepEqual(observer.of("gap"), []);
  },
);

function talk(from: Host, to: Host): Told[] {
  const text = run(
    from,
    process.execPath,
    CLOSING,
    "talk",
    to.ip,
    String(ROUNDS),
    String(FIRST_PORT),
  );
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Told);
}

interface Checked {
  readonly isNoted: boolean;
  /** Ends that counted one byte less than they were sent. */
  readonly short: number;
  readonly wrong: readonly string[];
}

/** What an end sent is exact; what it received may be one byte short. */
function check(
  told: Told,
  atA: readonly [number, number] | undefined,
  atB: readonly [number, number] | undefined,
): Checked {
  const wrong: string[] = [];
  const { initiatorBytes, responderBytes } = told;
  const missingAtA = responderBytes - (atA?.[1] ?? responderBytes);
  const missingAtB = initiatorBytes - (atB?.[0] ?? initiatorBytes);
  const isRight =
    (atA?.[0] ?? initiatorBytes) === initiatorBytes &&
    (atB?.[1] ?? responderBytes) === responderBytes &&
    [0, 1].includes(missingAtA) &&
    [0, 1].includes(missingAtB);
  if (!isRight) wrong.push(JSON.stringify({ told, atA, atB }));
  return { isNoted: atA !== undefined && atB !== undefined, short: missingAtA + missingAtB, wrong };
}

function payloads(observer: Observer): Payloads {
  const ports = new Map(observer.of("open").map((open) => [open.seq, portOf(open)]));
  const found = new Map<number, readonly [number, number]>();
  for (const entry of observer.entries) {
    const { payload, openSeq } = entry as {
      payload?: { initiatorBytes: number; responderBytes: number };
      openSeq?: number;
    };
    const port = ports.get(openSeq ?? -1);
    if (payload === undefined || port === undefined) continue;
    found.set(port, [payload.initiatorBytes, payload.responderBytes]);
  }
  return found;
}

function portOf(open: Printed): number {
  return (open.tuple as { initiatorPort: number }).initiatorPort;
}
