/** Which halves are partners where a port is used again within seconds, and something else went wrong besides. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SimHost, SimMesh } from "../../../test/simulate/sim-mesh.ts";
import { begin, played, tell, type ToldHalf } from "../../../test/simulate/told-halves.ts";

const PORT = 40_000;
/** Of five connections, so unlike that no two could be taken for one. */
const BYTES = [1_000, 90_000, 6_000, 300_000, 25_000];
const SOUND = "matched final";

type Role = "initiator" | "responder";
const ROLES: readonly Role[] = ["initiator", "responder"];

function other(role: Role): Role {
  return role === "initiator" ? "responder" : "initiator";
}

/** Two nodes, of which one connects to the other by one port. */
class Pair {
  readonly mesh: SimMesh;
  readonly initiator: SimHost;
  readonly responder: SimHost;

  constructor(mesh: SimMesh, offsetsMs: readonly [number, number] = [0, 0]) {
    this.mesh = mesh;
    this.initiator = mesh.host("a", offsetsMs[0]);
    this.responder = mesh.host("b", offsetsMs[1]);
  }

  half(role: Role): ToldHalf {
    return { role, from: this.initiator.ip, to: this.responder.ip, port: PORT };
  }

  tell(role: Role, bytes: number): void {
    tell(this.mesh, this[role], { ...this.half(role), bytes });
  }

  both(bytes: number): void {
    for (const role of ROLES) this.tell(role, bytes);
  }
}

it("what is recorded just after a clock was set back is not back-dated, though it is stamped before what was claimed", async () => {
  const seen = await played((mesh) => {
    const pair = new Pair(mesh);
    const host = pair.initiator;
    mesh.pass(30_000);
    host.up = false;
    host.offsetMs -= 3_900;
    host.bootAtMs = 1_700_000_000_000 - 3_900;
    pair.both(1_000);
    mesh.pass(20_000);
    host.up = true;
    mesh.pass(40_000);
  });
  assert.deepEqual(seen.open, ["clock-step a"]);
});

it("a late packet that makes a second record of a connection at one end takes no partner from the first", async () => {
  const seen = await played((mesh) => {
    const pair = new Pair(mesh);
    const { initiator, responder } = pair;
    mesh.pass(30_000);
    mesh.connect({ from: initiator, to: responder, fromPort: PORT - 1 });
    mesh.pass(60_000);
    // The first SYNs were lost, so the responder began when the initiator was nearly done.
    const atMs = mesh.nowMs;
    tell(mesh, initiator, { ...pair.half("initiator"), atMs, lastedMs: 2_246 });
    tell(mesh, responder, { ...pair.half("responder"), atMs: atMs + 2_036, lastedMs: 242 });
    const { from, to, port } = pair.half("initiator");
    const ends = { initiatorIp: from, responderIp: to, initiatorPort: port, responderPort: 443 };
    const tuple = { protocol: 6, ...ends };
    const times = { atMs: atMs + 2_278 };
    const open = { kind: "open", ...times, role: "initiator", tuple, pickup: false } as const;
    const counters = {
      initiatorPackets: 2,
      initiatorBytes: 100,
      responderPackets: 0,
      responderBytes: 0,
    };
    const openSeq = initiator.emit(open);
    const how = { ageMs: 0, openSeq, state: "REJ", assured: false, inferred: false } as const;
    initiator.emit({ kind: "close", ...times, ...how, counters });
    mesh.pass(120_000);
  });
  assert.deepEqual(seen.open, []);
  assert.equal(seen.verdict(PORT), "matched final, unanswered final");
});

describe("a port used again while a clock was set back by 3.9 s within a batch", () => {
  for (const role of ROLES) {
    for (const everyMs of [1_500, 2_500, 4_000]) {
      it(`by the ${role} every ${everyMs} ms`, async () => {
        const seen = await played((mesh) => {
          const pair = new Pair(mesh);
          const host = pair[role];
          mesh.pass(30_000);
          host.up = false;
          BYTES.forEach((bytes, at) => {
            if (at === 2) {
              host.offsetMs -= 3_900;
              host.bootAtMs = 1_700_000_000_000 - 3_900;
            }
            pair.both(bytes);
            if (at === 2) host.up = true;
            mesh.pass(everyMs);
          });
          mesh.pass(40_000);
        });
        assert.equal(seen.verdict(PORT), BYTES.map(() => SOUND).join(", "));
        assert.deepEqual(seen.open, [`clock-step ${role === "initiator" ? "a" : "b"}`]);
      });
    }
  }
});

describe("a port used again of which one half was deleted", () => {
  for (const role of ROLES) {
    for (const everyMs of [1_500, 4_000]) {
      it(`by the ${role}, every ${everyMs} ms: that one is missing`, async () => {
        const seen = await played((mesh) => {
          const pair = new Pair(mesh);
          mesh.pass(30_000);
          pair[role].up = false;
          BYTES.forEach((bytes, at) => {
            pair.tell(other(role), bytes);
            if (at !== 2) pair.tell(role, bytes);
            mesh.pass(500);
            // Three of one end are heard, then three of the other, then the rest.
            pair[role].up = at >= 3;
            pair[other(role)].up = at < 2;
            mesh.pass(everyMs - 500);
          });
          pair[other(role)].up = true;
          mesh.pass(40_000);
        });
        assert.equal(seen.verdict(PORT), `${SOUND}, ${SOUND}, ${SOUND}, ${SOUND}, missing final`);
        assert.deepEqual(seen.open, [`missing-half ${role === "initiator" ? "a" : "b"}`]);
      });
    }
  }
});

describe("a port used again before the clocks are known, as the first batches had to wait", () => {
  for (const role of ROLES) {
    for (const everyMs of [1_500, 3_000]) {
      it(`one connection told by the ${role}, two ${everyMs} ms apart by its peer`, async () => {
        const seen = await played((mesh) => {
          const pair = new Pair(mesh, [-7_000, -4_000]);
          const hosts = [pair[role], pair[other(role)]];
          const [first = 0, second = 0, ...rest] = BYTES;
          for (const host of hosts) host.up = false;
          mesh.pass(5_000);
          const closed = (host: SimHost) => host.seal(mesh.nowMs + host.offsetMs);
          pair.both(first);
          mesh.pass(500);
          const waiting = [closed(pair[role])];
          mesh.pass(everyMs - 500);
          pair.both(second);
          mesh.pass(500);
          waiting.push(closed(pair[other(role)]));
          mesh.pass(7_000 - everyMs);
          for (const frame of waiting) mesh.take(frame);
          mesh.pass(500);
          for (const host of hosts) host.up = true;
          for (const bytes of rest) {
            mesh.pass(everyMs);
            pair.both(bytes);
          }
          mesh.pass(130_000);
        });
        assert.equal(seen.verdict(PORT), BYTES.map(() => SOUND).join(", "));
        assert.deepEqual(seen.open, []);
      });
    }
  }
});

describe("a connection whose first SYNs were lost", () => {
  for (const lateMs of [1_000, 3_000, 7_000, 15_000, 63_000]) {
    it(`is one though the responder heard of it ${lateMs} ms later`, async () => {
      const seen = await played((mesh) => {
        const pair = new Pair(mesh);
        const [bytes = 0] = BYTES;
        mesh.pass(30_000);
        const begun = begin(mesh, pair.initiator, pair.half("initiator"));
        mesh.pass(lateMs);
        begun.close(lateMs + 40, bytes);
        pair.tell("responder", bytes);
        mesh.pass(40_000);
      });
      assert.equal(seen.verdict(PORT), SOUND);
      assert.deepEqual(seen.open, []);
    });
  }
});

it("a connection that is opened again by an agent that forgot it stays with its first record, though its first SYN was lost", async () => {
  const seen = await played((mesh) => {
    const [a, b] = [mesh.host("a"), mesh.host("b")];
    const ends = { from: a.ip, to: b.ip, port: PORT };
    mesh.pass(30_000);
    const begunMs = mesh.nowMs;
    const first = begin(mesh, a, { ...ends, role: "initiator" });
    mesh.pass(1_500);
    const there = begin(mesh, b, { ...ends, role: "responder", atMs: begunMs + 1_028 });
    mesh.pass(1_000);
    first.update(2_400, 300);
    there.update(1_400, 300);
    mesh.pass(15_000);
    const tuple = { protocol: 6, initiatorIp: a.ip, initiatorPort: PORT } as const;
    a.emit({
      kind: "open",
      atMs: begunMs - 240,
      role: "initiator",
      tuple: { ...tuple, responderIp: b.ip, responderPort: 443 },
      pickup: true,
    });
    mesh.pass(60_000);
  });
  assert.deepEqual(seen.open, []);
  assert.match(seen.verdict(PORT), /matched pending/);
});
