/** What the commands show of findings: lists on any terminal, one in full, and who is accused. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { HttpNode } from "./http-node.ts";
import { type Ended, type FoundFinding, World } from "./world.ts";

let world: World;
let found: readonly FoundFinding[];
let quiet: HttpNode;

before(async () => {
  world = await World.open();
  const liar = await world.node("liar");
  const witnesses = [await world.node("witness-1"), await world.node("witness-2")];
  const [sender, receiver] = [await world.node("sender"), await world.node("receiver")];
  quiet = await world.node("bystander");
  await world.pass(60_000);
  for (const from of witnesses) {
    world.talk({ from, to: liar, forgottenBy: "responder" });
    world.talk({ from: liar, to: from, forgottenBy: "initiator" });
  }
  world.talk({ from: sender, to: receiver, sentBytes: 1_000, receivedBytes: 500_000 });
  await world.pass(120_000);
  world.quieten(quiet);
  await world.pass(120_000);
  found = await world.findings((some) =>
    ["accused", "counters-differ", "silent"].every((kind) => some.some(isOf(kind))),
  );
});
after(() => world[Symbol.asyncDispose]());

function isOf(kind: string): (one: { readonly kind: string }) => boolean {
  return (one) => one.kind === kind;
}

function finding(kind: string): FoundFinding {
  const one = found.find(isOf(kind));
  assert.ok(one !== undefined, kind);
  return one;
}

async function shown(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await world.command(words);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function listed(...words: string[]): Promise<FoundFinding[]> {
  const { stdout } = await world.command(["findings", "--json", ...words]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as FoundFinding);
}

/** Until a ruling or a resolution is in the store. */
async function untilState(id: string, state: string): Promise<void> {
  await world.api.until(
    `${id} is ${state}`,
    () => world.api.call("GET", `/api/v1/findings/${id}`),
    (answer) => (answer as FoundFinding).state === state,
  );
}

describe("the list of findings", () => {
  it("shows ids and times whole on every terminal, and cuts titles", async () => {
    for (const columns of [200, 132, 100, 80, 40]) {
      const { stdout } = await world.command(["findings"], columns);
      for (const { id } of found) assert.ok(stdout.includes(id), `${id} at ${columns}\n${stdout}`);
      const times = stdout.match(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g) ?? [];
      assert.equal(times.length, found.length, stdout);
      const longest = Math.max(...stdout.split("\n").map((line) => line.length));
      assert.ok(longest <= columns, `${longest} of ${columns}\n${stdout}`);
    }
  });

  it("has every finding that involves a node, and none that does not", async () => {
    const involving: [name: string, count: number][] = [
      // Its own two, and the accusation that it supports.
      ["witness-1", 3],
      ["liar", 5],
      ["sender", 1],
      ["receiver", 1],
      ["bystander", 1],
    ];
    for (const [name, count] of involving) {
      const some = await listed("--node", name);
      assert.equal(some.length, count, `${name}: ${some.map(({ title }) => title).join("\n")}`);
    }
  });

  it("has the open ones whatever their age, and bounds the others by --since", async () => {
    const { id } = finding("counters-differ");
    const words = ["findings", "acknowledge", id, "--reason", "a broken card", "--expires", "30d"];
    assert.match(await shown(...words), /^acknowledged until /);
    await untilState(id, "acknowledged");
    assert.equal((await listed()).length, found.length);
    await world.pass(3_700_000);
    await world.api.caughtUp();
    const now = await listed();
    assert.ok(now.some(isOf("accused")));
    assert.ok(!now.some((one) => one.id === id));
    assert.ok((await listed("--since", "1d")).some((one) => one.id === id));
    assert.deepEqual(await listed("--state", "acknowledged"), []);
  });
});

describe("one finding", () => {
  it("is found by the beginning of its id, in either case", async () => {
    const { id } = finding("accused");
    const whole = await shown("findings", "--id", id);
    for (const part of [id.slice(0, 8), id.slice(0, 20).toUpperCase(), id.toUpperCase()]) {
      assert.equal(await shown("findings", "--id", part), whole);
    }
  });

  it("lists the witnesses of an accusation", async () => {
    const text = await shown("findings", "--id", finding("accused").id);
    const section = /^Witnesses\n {2}WITNESS +CONTRADICTS IN .*\n((?: {2}.+\n)+)/m.exec(text);
    const rows = section?.[1]?.trimEnd().split("\n") ?? [];
    assert.equal(rows.length, 2, text);
    rows.forEach((row, at) =>
      assert.match(
        row,
        new RegExp(
          `^ {2}witness-${at + 1} {2}2 missing-half +2 of 2 +\\d{4}-.*Z +\\d{4}-.*Z +[0-9a-f]{32}$`,
        ),
      ),
    );
    assert.doesNotMatch(text, /\{"/);
  });

  it("says who decided what about it, why and until when", async () => {
    const { id } = finding("counters-differ");
    const text = await shown("findings", "--id", id);
    const ruled = /acknowledged by admin until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: a broken card/;
    assert.match(text, ruled);
    assert.match(
      text,
      /^What people decided about it\n {2}WHEN .*\n {2}\d{4}-.*admin .*a broken card$/m,
    );
    assert.match(text, /^What to do$/m);
    await shown("findings", "reopen", id, "--reason", "the card is fine");
    await untilState(id, "open");
    const opened = await shown("findings", "--id", id);
    assert.match(opened, / a broken card\n.* reopened +the card is fine\n/);
    assert.match(opened, /^ {2}state +open$/m);
  });

  it("says when and why it was resolved, and no longer what to do", async () => {
    const { id } = finding("silent");
    assert.match(await shown("findings", "--id", id), /^What to do$/m);
    world.wake(quiet);
    await world.pass(30_000);
    await untilState(id, "resolved");
    const text = await shown("findings", "--id", id);
    assert.match(text, /^ {2}resolved +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/m);
    assert.match(text, /^Why it is resolved\n {2}The node's chain went on/m);
    assert.doesNotMatch(text, /What to do|concluded/);
  });
});

describe("a node that is accused", () => {
  it("is named by `status`, which counts open findings by severity", async () => {
    const text = await shown("status");
    assert.match(text, /^open findings +\d+: 1 critical, 5 high(, \d+ low)?$/m);
    assert.match(text, /^accused +liar$/m);
  });

  it("is marked in `nodes` and `nodes show`", async () => {
    assert.match(await shown("nodes"), /^liar .*accused, \d+(\.\d)? %/m);
    assert.doesNotMatch(await shown("nodes"), /^witness-1 .*accused/m);
    const { id } = finding("accused");
    const text = await shown("nodes", "show", "liar");
    assert.match(text, new RegExp(`^accused +see tallystick findings --id ${id}$`, "m"));
    assert.doesNotMatch(await shown("nodes", "show", "witness-1"), /accused/);
  });

  it("is not, once somebody excused the accusation", async () => {
    const { id } = finding("accused");
    await shown("findings", "excuse", id.slice(0, 12), "--reason", "a drill");
    await untilState(id, "excused");
    assert.doesNotMatch(await shown("status"), /^accused/m);
    assert.doesNotMatch(await shown("nodes"), /accused/);
  });
});

/** What would be silently empty, passed over or misread. */
const refused: [words: string, err: RegExp][] = [
  ["findings --limit 0", /--limit is out of range, 0, write 1 or more/],
  [
    "findings --since 1h --until 2h",
    /^tallystick: no time lies between, --since .* --until .*, change one\n$/,
  ],
  ["findings --until 2h", /no time lies between, .*, give --since as well/],
  ["connections --until 2h", /no time lies between, .*, give --since as well/],
  [
    "findings --kind bogus",
    /--kind is none of its choices, bogus, accused, missing-half, .*unknown_node/,
  ],
  ["findings --id 123456 -f", /--follow is for the list, --id names one finding, leave out one/],
  ["findings --id 123456 --state open", /--state is for the list, --id names one finding/],
  ["findings --id 123456 --since 1h", /--since is for the list, --id names one finding/],
  ["findings --evidence 123456 -f", /--follow is for the list, --evidence names one finding/],
  ["findings --id 123456 --evidence 123456", /--id and --evidence, give one of them/],
  ["findings excuse 123456 --reason=", /the value is empty, --reason, give --reason=TEXT/],
  [`findings excuse 123456 --reason ${"x".repeat(1_001)}`, /--reason is too long, 1001 characters/],
  [
    "findings excuse 123456 --reason x --expires 91d",
    /--expires is out of range, 91d, write 1s to 90d/,
  ],
  ["sql SELECT --limit 0", /--limit is out of range, 0, write 1 to 100000/],
];
for (const [words, err] of refused) {
  it(`refuses: ${words.slice(0, 60)}`, async () => {
    const ended: Ended = await world.command(words.split(" "));
    assert.match(ended.stderr, err);
    assert.deepEqual([ended.code, ended.stdout], [2, ""]);
  });
}

it("takes times before there were computers, and after there will be any", async () => {
  for (const words of [
    "--since 1970-01-01",
    "--since 20000d",
    "--since 9999999d --until 9999-12-31",
  ]) {
    assert.ok((await listed(...words.split(" "))).length >= found.length, words);
  }
});
