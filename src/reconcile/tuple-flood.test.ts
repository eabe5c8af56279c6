/** A node that writes more instances of one tuple than any kernel makes: it stops nothing, hides nothing, and frames nobody. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type SimHost, SimMesh } from "../../test/simulate/sim-mesh.ts";
import { played, tell } from "../../test/simulate/told-halves.ts";
import { INSTANCES_MAX } from "./limits.ts";

const PORT = 40_000;
const SOUND = "matched final";
const ENTRIES_OF_A_BATCH_MAX = 65_536;
const TICK_CPU_MS_MAX = 2_000;

/** `writer` says that `from` connected to `to` so often, `everyMs`, and has both ends of it. */
function flood(
  mesh: SimMesh,
  writer: SimHost,
  story: {
    readonly from: SimHost;
    readonly to: SimHost;
    readonly times: number;
    readonly everyMs: number;
  },
): void {
  const { from, to, times, everyMs } = story;
  for (let at = 0; at < times; at++) {
    for (const role of ["initiator", "responder"] as const) {
      const atMs = mesh.nowMs - 20_000 + at * everyMs;
      tell(mesh, writer, { role, from: from.ip, to: to.ip, port: PORT, atMs });
    }
  }
}

function worstPassCpuMs(mesh: SimMesh, passes: number): number {
  let worstMs = 0;
  for (let at = 0; at < passes; at++) {
    const before = process.cpuUsage();
    mesh.pass(500);
    worstMs = Math.max(worstMs, process.cpuUsage(before).user / 1_000);
  }
  return worstMs;
}

describe("a batch that is full of both halves of one tuple", () => {
  for (const everyMs of [0, 1]) {
    it(`is compared within a tick, ${everyMs} ms apart`, () => {
      const mesh = new SimMesh();
      const [liar, victim] = [mesh.host("liar"), mesh.host("victim")];
      mesh.pass(30_000);
      // An open and a close each, of two halves.
      const times = ENTRIES_OF_A_BATCH_MAX / 4;
      flood(mesh, liar, { from: liar, to: victim, times, everyMs });
      const worstMs = worstPassCpuMs(mesh, 80);
      assert.ok(worstMs < TICK_CPU_MS_MAX, `${worstMs} ms`);
      assert.ok(mesh.verdict(PORT).includes("missing"), "what was made up is missing at its peer");
    });
  }
});

it("what is beyond the instances that are compared is decided as if it stood alone, in any order and with stops", async () => {
  const mesh = await played((story) => {
    const [liar, victim] = [story.host("liar"), story.host("victim")];
    story.pass(30_000);
    const times = INSTANCES_MAX / 2 + 20;
    flood(story, liar, { from: victim, to: liar, times, everyMs: 7 });
    // Its half of this one is beyond, too.
    story.connect({ from: victim, to: liar, fromPort: PORT });
    story.pass(40_000);
  });
  const verdicts = mesh.verdict(PORT).split(", ");
  assert.equal(verdicts.filter((one) => one === SOUND).length, 0);
  const missing = verdicts.filter((one) => one === "missing final").length;
  assert.equal(missing, INSTANCES_MAX + 40 + 2);
});

it("a tuple that a third node floods is compared between its own ends as ever", async () => {
  const mesh = await played((story) => {
    const [liar, from, to] = [story.host("liar"), story.host("from"), story.host("to")];
    story.pass(30_000);
    flood(story, liar, { from, to, times: INSTANCES_MAX, everyMs: 0 });
    story.pass(500);
    for (let at = 0; at < 3; at++) {
      story.connect({ from, to, fromPort: PORT });
      story.pass(10_000);
    }
    story.pass(40_000);
  });
  const sound = mesh
    .verdict(PORT)
    .split(", ")
    .filter((one) => one === SOUND);
  assert.equal(sound.length, 3);
});
