/** What somebody may make up who passes its peer's half off as that of a stranger; and who does not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type SimHost, SimMesh } from "../../test/simulate/sim-mesh.ts";
import type { Translator } from "./node/node-memory.ts";

const OUTSIDE_IP = "192.0.2.7";
const SECONDS = 120;

/** `a` and `c` talk to `b`, as kernels tell it: final counters come minutes later. */
class Talk {
  readonly mesh = new SimMesh();
  readonly a = this.mesh.host("a");
  readonly b = this.mesh.host("b");
  readonly c = this.mesh.host("c");
  readonly translated: number[] = [];

  constructor() {
    this.mesh.pass(30_000);
    this.a.lie = withoutAccount;
    this.c.lie = withoutAccount;
  }

  /** `isTranslated`: b has it from somebody else, rightly or not. */
  connect(isTranslated: boolean, from: SimHost = this.a, port = 443): void {
    this.b.lie = isTranslated ? fromOutside : withoutAccount;
    const used = this.mesh.connect({ from, to: this.b, port });
    if (isTranslated) this.translated.push(used);
  }

  verdicts(): Set<string> {
    return new Set(this.translated.map((port) => this.mesh.verdict(port).split(" ")[0] ?? ""));
  }

  found(): Set<string> {
    return new Set(this.mesh.findings.map(({ finding }) => finding));
  }
}

type Lie = NonNullable<SimHost["lie"]>;

const withoutAccount: Lie = (entry) => (entry.kind === "account" ? undefined : entry);

const fromOutside: Lie = (entry) => {
  if (entry.kind === "account") return undefined;
  if (entry.kind !== "open" || !("tuple" in entry)) return entry;
  return { ...entry, tuple: { ...entry.tuple, initiatorIp: OUTSIDE_IP } };
};

describe("halves of strangers in the place of a peer's", () => {
  it("excuse no more than a node may have of its own making, between those that came untranslated", () => {
    const talk = new Talk();
    for (let second = 0; second < SECONDS; second++) {
      talk.connect(false);
      talk.mesh.pass(500);
      for (const _ of [1, 2]) talk.connect(true);
      talk.mesh.pass(500);
    }
    talk.mesh.pass(60_000);
    assert.deepEqual(talk.found(), new Set(["gap-abuse", "missing-half"]));
    const abuse = talk.mesh.findings.find(({ finding }) => finding === "gap-abuse");
    assert.equal(abuse?.node, talk.b.id);
    assert.deepEqual(Object.keys(abuse?.evidence["causes"] ?? {}), ["stranger"]);
    assert.ok(
      talk.translated.some((port) => /^external.*missing|^missing/.test(talk.mesh.verdict(port))),
    );
  });

  it("are given each to its own initiator, where a port is used again and one was lost", () => {
    const { mesh, a, b } = new Talk();
    const fromPort = 48_149;
    const times = [0, 2_600, 2_500, 2_900, 2_900, 2_900];
    for (const [at, afterMs] of times.entries()) {
      mesh.pass(afterMs);
      b.lie = at === 2 ? () => undefined : fromOutside;
      mesh.connect({ from: a, to: b, fromPort });
      if (at !== 2) continue;
      const { nowMs } = mesh;
      const interval = { fromMs: nowMs - 100, toMs: nowMs };
      b.emit({ kind: "gap", atMs: nowMs, cause: "restart", count: null, ...interval });
    }
    mesh.pass(60_000);
    assert.deepEqual(mesh.open, []);
    const verdicts = mesh.verdict(fromPort).split(", ").toSorted();
    const byExcuse = (excuse: string) => verdicts.filter((one) => one.includes(excuse)).length;
    assert.deepEqual([byExcuse("/gap"), byExcuse("/nat")], [1, 2 * (times.length - 1)]);
  });

  it("are known by what is decided at the same tick, also if it began later", () => {
    const { mesh, a, b, c } = new Talk();
    // Who is beside it knows it by its own address.
    mesh.connect({ from: a, to: c });
    mesh.pass(10_000);
    b.lie = (entry) => {
      const outside = fromOutside(entry);
      if (outside?.kind !== "open") return outside;
      return { ...outside, tuple: { ...outside.tuple, initiatorPort: 20_286 } };
    };
    const first = mesh.connect({ from: a, to: b });
    b.lie = fromOutside;
    mesh.connect({ from: a, to: b });
    mesh.pass(60_000);
    assert.deepEqual(mesh.open, []);
    assert.match(mesh.verdict(first), /^excused\/nat /);
  });

  it("are left to an initiator with the same port by one that lost its own", () => {
    const { mesh, a, b } = new Talk();
    b.lie = fromOutside;
    mesh.connect({ from: a, to: b });
    mesh.pass(60_000);
    b.lie = () => undefined;
    const lost = mesh.connect({ from: a, to: b });
    const { nowMs } = mesh;
    const interval = { fromMs: nowMs - 600, toMs: nowMs - 500 };
    b.emit({ kind: "gap", atMs: nowMs, cause: "restart", count: null, ...interval });
    mesh.pass(3_000);
    b.lie = fromOutside;
    const next = mesh.connect({ from: a, to: b });
    mesh.pass(60_000);
    assert.deepEqual(mesh.open, []);
    assert.match(mesh.verdict(lost), /^excused\/gap /);
    assert.match(mesh.verdict(next), /^excused\/nat /);
  });

  const honest: readonly (readonly [what: string, second: (talk: Talk, second: number) => void])[] =
    [
      ["all of a node's come so", (talk) => talk.connect(true)],
      ["the way changes", (talk, second) => talk.connect(second < SECONDS / 2)],
      [
        "the way changes for some minutes and back",
        (talk, second) => talk.connect(second >= 25 && second < SECONDS - 25),
      ],
      [
        "those of another node do not",
        (talk) => {
          talk.connect(true);
          talk.connect(false, talk.c);
        },
      ],
      [
        "those to another service do not",
        (talk) => {
          talk.connect(true);
          talk.connect(false, talk.a, 8443);
        },
      ],
    ];
  for (const [what, second] of honest) {
    it(`excuse as many as there are, where ${what}`, () => {
      const talk = new Talk();
      for (let at = 0; at < SECONDS; at++) {
        for (const _ of [1, 2]) second(talk, at);
        talk.mesh.pass(1_000);
      }
      talk.mesh.pass(60_000);
      assert.deepEqual(talk.found(), new Set());
      assert.deepEqual(talk.verdicts(), new Set(["excused/nat"]));
    });
  }
});

/** What is remembered of the addresses by which twenty peers know a node, as a router tells of all of them at once. */
function translatorsOf(isReversed: boolean): readonly Translator[] {
  const mesh = new SimMesh({ isReversed });
  const peers = Array.from({ length: 20 }, (_, at) => mesh.host(`peer-${at}`));
  const [node, router] = [mesh.host("node"), mesh.host("router")];
  mesh.pass(30_000);
  const atMs = mesh.nowMs;
  for (const [at, peer] of peers.entries()) {
    const initiatorPort = 20_000 + at;
    const outsideIp = `192.0.2.${at + 1}`;
    const tuple = {
      protocol: 6,
      initiatorIp: node.ip,
      initiatorPort,
      responderIp: peer.ip,
      responderPort: 443,
    };
    const open = { kind: "open", atMs, pickup: false } as const;
    const reply = {
      sourceIp: peer.ip,
      sourcePort: 443,
      destinationIp: outsideIp,
      destinationPort: initiatorPort,
    };
    node.emit({ ...open, role: "initiator", tuple });
    router.emit({ ...open, role: "forwarder", tuple, reply });
    peer.emit({ ...open, role: "responder", tuple: { ...tuple, initiatorIp: outsideIp } });
  }
  mesh.pass(20_000);
  return mesh.reconcile.streamFor(node.id).memory.translators;
}

it("of more addresses than are remembered of a node, the same ones are, whichever was told first", () => {
  const translators = translatorsOf(false);
  assert.ok(translators.length > 0 && translators.length < 20);
  assert.deepEqual(translatorsOf(true), translators);
});
