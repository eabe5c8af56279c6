/** A node that says that it forwarded what it took part in itself, and so puts somebody else in its place. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimMesh, type SimHost } from "../../test/simulate/sim-mesh.ts";
import { MismatchGraph } from "./finding/accuse/mismatch-graph.ts";
import { storedFinding } from "./finding/stored-finding.ts";

const TCP = 6;
const PORT = 443;
const TIMES = 3;

interface Told {
  readonly host: SimHost;
  readonly role: "initiator" | "responder" | "forwarder";
  readonly initiator: SimHost;
  readonly responder: SimHost;
  readonly port: number;
  /** Of a forwarder: both ends as its other side has them. */
  readonly behind?: { readonly source: SimHost; readonly destination: SimHost };
  /** Sent by the initiator, and by the responder: as many, where nothing is said. */
  readonly bytes?: number;
  readonly answered?: number;
  readonly responderPort?: number;
  /** It is told before it began: in one batch with what was before. */
  readonly afterMs?: number;
}

/** `s` lies; it talks to `a1` and `a2`, and `v` is somebody else. */
class Lie {
  readonly mesh = new SimMesh();
  readonly a1 = this.mesh.host("a1");
  readonly a2 = this.mesh.host("a2");
  readonly s = this.mesh.host("s");
  readonly v = this.mesh.host("v");

  constructor() {
    this.mesh.pass(30_000);
  }

  tell(told: Told): void {
    const { host, role, initiator, responder, port, behind } = told;
    const { bytes = 1_000, answered = bytes, responderPort = PORT } = told;
    const atMs = this.mesh.nowMs + (told.afterMs ?? 0);
    const ports = { initiatorPort: port, responderPort };
    const tuple = {
      protocol: TCP,
      initiatorIp: initiator.ip,
      responderIp: responder.ip,
      ...ports,
    };
    const reply = behind && {
      sourceIp: behind.source.ip,
      sourcePort: PORT,
      destinationIp: behind.destination.ip,
      destinationPort: port,
    };
    const open = { kind: "open", atMs, role, tuple, pickup: false } as const;
    const openSeq = host.emit(reply === undefined ? open : { ...open, reply });
    const counters = {
      initiatorPackets: 5,
      initiatorBytes: bytes,
      responderPackets: 5,
      responderBytes: answered,
    };
    const ended = { atMs: atMs + 40, openSeq, ageMs: 40, state: "SF", assured: true } as const;
    host.emit({ kind: "close", ...ended, counters, inferred: false });
  }

  run(talk: (peer: SimHost, port: number) => void): SimMesh {
    for (let time = 0; time < TIMES; time++) {
      talk(this.a1, 50_000 + time);
      talk(this.a2, 51_000 + time);
      this.mesh.pass(5_000);
    }
    this.mesh.pass(90_000);
    return this.mesh;
  }
}

describe("a false forwarder", () => {
  it("that was asked: the node that it says it stands before is not accused", () => {
    const lie = new Lie();
    const { s, v } = lie;
    const mesh = lie.run((peer, port) => {
      const ends = { initiator: peer, responder: s, port };
      lie.tell({ host: peer, role: "initiator", ...ends });
      const behind = { source: v, destination: peer };
      lie.tell({ host: s, role: "forwarder", ...ends, behind });
    });
    assert.deepEqual(mesh.open, Array(2 * TIMES).fill("missing-half v"));
  });

  it("that asked: the node that it says it asked for is not accused", () => {
    const lie = new Lie();
    const { s, v } = lie;
    const mesh = lie.run((peer, port) => {
      lie.tell({ host: peer, role: "responder", initiator: s, responder: peer, port });
      const behind = { source: peer, destination: s };
      const ends = { initiator: v, responder: peer, port };
      lie.tell({ host: s, role: "forwarder", ...ends, behind });
    });
    assert.deepEqual(mesh.open, Array(2 * TIMES).fill("missing-half v"));
  });

  it("that passes one connection on as another: neither of the honest ends is accused", () => {
    const lie = new Lie();
    const { s, v } = lie;
    const mesh = lie.run((peer, port) => {
      lie.tell({ host: peer, role: "initiator", initiator: peer, responder: s, port });
      const bytes = 900_000;
      lie.tell({ host: v, role: "responder", initiator: s, responder: v, port, bytes });
      const behind = { source: v, destination: s };
      const ends = { initiator: peer, responder: s, port };
      lie.tell({ host: s, role: "forwarder", ...ends, behind });
    });
    const found = new Set(mesh.open);
    assert.ok(found.has("counters-differ -"), mesh.open.join());
    const accused = mesh.findings.filter(({ finding }) => finding === "accused");
    assert.deepEqual(
      accused.filter(({ node }) => node !== s.id),
      [],
    );
  });

  it("that is honest counts each direction of two that call each other at once", () => {
    const lie = new Lie();
    const { s, v } = lie;
    const mesh = lie.run((peer, port) => {
      const [few, many] = [1_000, 5_000_000];
      const ends = { initiator: peer, responder: s, port };
      lie.tell({ host: peer, role: "initiator", ...ends, bytes: few, answered: many });
      lie.tell({ host: v, role: "forwarder", ...ends, bytes: few, answered: many });
      const turned = { initiator: s, responder: peer, port: PORT, responderPort: port };
      lie.tell({ host: s, role: "initiator", ...turned, bytes: many, answered: few });
    });
    assert.deepEqual(mesh.open, []);
    assert.equal(mesh.verdict(50_000), "excused/router pending, matched final");
  });

  it("that is honest may answer itself, and pass on the next connection from the same port", () => {
    const lie = new Lie();
    const { s, v } = lie;
    const mesh = lie.run((peer, port) => {
      const ends = { initiator: peer, responder: s, port };
      const [many, few] = [12_000, 500];
      lie.tell({ host: peer, role: "initiator", ...ends, answered: many });
      lie.tell({ host: s, role: "responder", ...ends, answered: many });
      const behind = { source: v, destination: peer };
      const next = { answered: few, afterMs: 1_500 };
      lie.tell({ host: peer, role: "initiator", ...ends, ...next });
      lie.tell({ host: s, role: "forwarder", ...ends, ...next, behind });
      lie.tell({ host: v, role: "responder", initiator: peer, responder: v, port, ...next });
    });
    assert.deepEqual(mesh.open, []);
  });

  it("is named as the third possible cause, also after a restart", () => {
    const lie = new Lie();
    const { s, v } = lie;
    const { findings } = lie.run((peer, port) => {
      const ends = { initiator: peer, responder: s, port };
      lie.tell({ host: peer, role: "initiator", ...ends });
      const behind = { source: v, destination: peer };
      lie.tell({ host: s, role: "forwarder", ...ends, behind });
    });
    const found = findings.find(({ title }) => title.includes("which a1 recorded"));
    assert.ok(found);
    const { causes, forwarders } = found.evidence;
    assert.ok(Array.isArray(causes));
    assert.deepEqual(
      causes.map((cause) => String(cause).split(" ")[0]),
      ["v", "a1", "s"],
    );
    assert.deepEqual(forwarders, [{ node: s.id, name: "s" }]);
    const { mismatch } = storedFinding(found);
    assert.ok(mismatch);
    const graph = new MismatchGraph();
    graph.add(mismatch);
    assert.deepEqual([...graph.pairs], []);
    assert.equal(graph.remove(mismatch.id), mismatch);
  });
});
