import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "./command-error.ts";
import { command, runProgram, type Program, type Terminal } from "./command-line.ts";

const nowMs = Date.UTC(2026, 2, 10, 12, 0, 0);

const show = command({
  name: "show",
  summary: "repeat what was understood",
  options: {
    since: { type: "time", summary: "from here on", default: "1h" },
    ttl: { type: "duration", summary: "how long it is good for", value: "TIME", min: "1s" },
    why: { type: "text", summary: "a reason", charsMax: 5 },
    rows: { type: "count", summary: "how many at most", min: "0", max: "50" },
    node: { type: "text", summary: "only this node", value: "N", default: "" },
    verdict: {
      type: "text",
      summary: "only these",
      value: "V",
      repeatable: true,
      choices: ["matched", "missing"],
    },
    allowHttp: { type: "flag", summary: "accept plain http" },
    follow: { type: "flag", summary: "go on", short: "f" },
    optOut: { type: "flag", summary: "send nothing", env: ["STICK_OPT_OUT", "OLD_OPT_OUT"] },
    tag: { type: "text", summary: "labels", repeatable: true, env: ["STICK_TAGS"] },
  },
  positionals: [{ name: "QUERY", summary: "what to look for", optional: true }],
  run: async ({ options, positionals, printJson }) => printJson({ ...options, positionals }),
});

const create = command({
  name: "keys create",
  summary: "make a key",
  options: { url: { type: "text", summary: "the server", required: true, env: ["STICK_URL"] } },
  run: async ({ options, json, say, printJson }) => {
    say(`key for ${options.url.toUpperCase()}`);
    if (json) printJson({ url: options.url, note: "\u202e" });
  },
});

const list = command({
  name: "keys list",
  summary: "list keys",
  aliases: ["keys"],
  options: {},
  run: async ({ printTable }) => printTable(["key", "uses"], [["k\u001b1", 2]]),
});

const fail = command({
  name: "fail",
  summary: "fail",
  options: {},
  positionals: [{ name: "HOW", summary: "which way", repeatable: true }],
  run: async ({ positionals }) => {
    if (positionals[0] === "command") throw new CommandError("command_failed", "no disk, /x, add");
    if (positionals[0] === "reason") {
      const cause = Object.assign(new Error("EIO: broken, read"), { code: "EIO" });
      const options = { cause, reason: "no_luck" };
      throw new CommandError("command_failed", "no disk, /x (EIO), add", options);
    }
    const cause = new Error("connect ECONNREFUSED");
    throw new Error("server not reached,\n http://x, start it\u001b[2J", { cause });
  },
});

const weigh = command({
  name: "weigh",
  summary: "weigh",
  options: {},
  positionals: [{ name: "WHAT", summary: "which" }],
  exitCodes: [
    [0, "heavy"],
    [1, "light"],
  ],
  run: async ({ positionals }) => {
    throw new CommandError("command_failed", `too light, ${positionals[0]}, take more`);
  },
  failure: ({ code, message }) => (code === "command_failed" ? { message } : { code }),
});

const program: Program = {
  name: "stick",
  summary: "Splits sticks.",
  version: "1.2.3",
  commands: [show, create, list, fail, weigh],
};

async function run(
  line: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  const result = { code: 0, out: "", err: "" };
  const terminal: Terminal = {
    env,
    nowMs,
    isTerminal: false,
    columnsMax: undefined,
    out: (text) => void (result.out += text),
    err: (text) => void (result.err += text),
    settle: () => undefined,
  };
  result.code = await runProgram(program, line === "" ? [] : line.split(" "), terminal);
  return result;
}

const understood: [line: string, expected: object, env?: NodeJS.ProcessEnv][] = [
  ["show", { since: nowMs - 3_600_000, allowHttp: false, verdict: [], positionals: [] }],
  ["show --since 2026-03-01", { since: Date.UTC(2026, 2, 1) }],
  ["show --since=7d", { since: nowMs - 7 * 86_400_000 }],
  ["show --ttl 24h --rows 10", { ttl: 86_400_000, rows: 10 }],
  ["show --allow-http -f", { allowHttp: true, follow: true }],
  ["show --verdict matched --verdict missing", { verdict: ["matched", "missing"] }],
  ["show --node=", { node: "" }],
  ["show word --node a", { node: "a", positionals: ["word"] }],
  ["show --node=-a -- --not-an-option", { node: "-a", positionals: ["--not-an-option"] }],
  ["--json show", { follow: false }],
  ["show --tag a", { tag: ["a"] }, { STICK_TAGS: "b,c" }],
  ["show", { tag: ["b", "c"] }, { STICK_TAGS: "b, c" }],
  ["show", { optOut: true }, { OLD_OPT_OUT: "1" }],
  ["show", { optOut: true }, { STICK_OPT_OUT: "yes", OLD_OPT_OUT: "0" }],
  ["show", { optOut: false }, { STICK_OPT_OUT: "false" }],
  ["show", { optOut: false }, { STICK_OPT_OUT: "" }],
];

for (const [line, expected, env] of understood) {
  test(`understood: ${line} ${JSON.stringify(env ?? {})}`, async () => {
    const { code, out, err } = await run(line, env);
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.partialDeepStrictEqual(JSON.parse(out), expected);
  });
}

const refused: [line: string, code: number, expected: string][] = [
  ["", 2, "no command given, see stick --help"],
  ["--json", 2, "no command given, see stick --help"],
  ["shwo", 2, "unknown command, shwo, see stick --help"],
  ["shwo --help", 2, "unknown command, shwo, see stick --help"],
  ["--json shwo -h", 2, "unknown command, shwo, see stick --help"],
  ["shwo --version", 2, "unknown command, shwo, see stick --help"],
  ["keys destroy", 2, "unexpected argument, destroy, see stick keys list --help"],
  ["show --sinec 1h", 2, "unknown option, --sinec, see the options of stick show --help"],
  ["show -x", 2, "unknown option, -x, see the options of stick show --help"],
  ["show --since", 2, "missing value, --since, give --since=TIME, see stick show --help"],
  ["show --node --follow", 2, "missing value, --node, give --node=N, see stick show --help"],
  ["show --follow=1", 2, "unexpected value, --follow=1, it takes none, see stick show --help"],
  ["show --node a --node b", 2, "given 2 times, --node, give it once, see stick show --help"],
  [
    "show --ttl soon",
    2,
    "--ttl is no duration, soon, write it like 500ms, 30s, 15m, 24h or 7d, see stick show --help",
  ],
  [
    "show --since 2026-02-30",
    2,
    "--since is no time, 2026-02-30, write it like 1h (ago), 2026-03-01 or 2026-03-01T08:30Z, see stick show --help",
  ],
  ["show --rows 51", 2, "--rows is out of range, 51, write 0 to 50, see stick show --help"],
  ["show --ttl 999ms", 2, "--ttl is out of range, 999ms, write 1s or more, see stick show --help"],
  ["show --why=", 2, "the value is empty, --why, give --why=TEXT, see stick show --help"],
  [
    "show --why éééééé",
    2,
    "--why is too long, 6 characters, write 5 at most, see stick show --help",
  ],
  ["show --rows -1", 2, "missing value, --rows, give --rows=COUNT, see stick show --help"],
  ["show --rows 1.5", 2, "--rows is no count, 1.5, write a whole number, see stick show --help"],
  [
    "show --verdict odd",
    2,
    "--verdict is none of its choices, odd, matched, missing, see stick show --help",
  ],
  ["show a b", 2, "unexpected argument, b, see stick show --help"],
  ["fail", 2, "missing argument, HOW, see stick fail --help"],
  ["show ", 2, "empty argument, QUERY, see stick show --help"],
  ["keys create", 2, "missing option, --url, give it or STICK_URL, see stick keys create --help"],
  ["fail command", 1, "no disk, /x, add"],
  ["fail reason", 1, "no disk, /x (EIO), add (no_luck)"],
  ["fail other", 1, "server not reached, http://x, start it‹U+001B›[2J: connect ECONNREFUSED"],
];

for (const [line, code, expected] of refused) {
  test(`refused: ${line}`, async () => {
    assert.deepEqual(await run(line), { code, out: "", err: `stick: ${expected}\n` });
  });
}

test("the environment stands in for a required option", async () => {
  assert.equal((await run("keys create", { STICK_URL: "http://s" })).out, "key for HTTP://S\n");
});

test("--json silences the words and leaves one object a line", async () => {
  const { out } = await run("keys create --json --url x");
  assert.equal(out, '{"url":"x","note":"\\u202e"}\n');
});

test("an alias runs its command, and a table's cells are printable", async () => {
  assert.equal((await run("keys")).out, "KEY         USES\nk‹U+001B›1     2\n");
});

test("--version is the program's, after a command as well, which is not run", async () => {
  for (const line of [
    "--version",
    "fail --version",
    "show --since 1h --version",
    "fail x --version",
  ]) {
    assert.deepEqual(await run(line), { code: 0, out: "stick 1.2.3\n", err: "" }, line);
  }
});

test("the program's help lists every command", async () => {
  for (const line of ["--help", "-h", "help"]) {
    const { code, out } = await run(line);
    assert.equal(code, 0);
    assert.equal(
      out,
      [
        "Splits sticks.",
        "",
        "Usage: stick COMMAND [OPTIONS]",
        "",
        "Commands:",
        "  show         repeat what was understood",
        "  keys create  make a key",
        "  keys list    list keys",
        "  fail         fail",
        "  weigh        weigh",
        "",
        "Every command takes:",
        "  --json      one JSON object per line on stdout",
        "  -h, --help  show this text",
        "  --version   show the version",
        "",
        "stick COMMAND --help tells more.",
        "",
      ].join("\n"),
    );
  }
});

test("a command's help shows defaults, choices, variables and what is required", async () => {
  const help = (await run("show --nonsense --help")).out;
  for (const line of [
    "Repeat what was understood.",
    "Usage: stick show [OPTIONS] [QUERY]",
    "  --since TIME  from here on; default 1h",
    "  --rows COUNT  how many at most; 0 to 50",
    "  --node N      only this node",
    "  --verdict V   only these; one of matched, missing; repeatable",
    "  -f, --follow  go on",
    "  --opt-out     send nothing; or STICK_OPT_OUT or OLD_OPT_OUT",
  ]) {
    assert.ok(help.split("\n").includes(line), `${line}\nis not in\n${help}`);
  }
  const required = (await run("keys create -h")).out;
  assert.match(required, /^Usage: stick keys create --url TEXT$/m);
});

test("a command's help shows what its exit codes mean, where they mean more", async () => {
  const { out } = await run("weigh --help");
  assert.ok(out.endsWith("\nExit codes:\n  0  heavy\n  1  light\n"), out);
  assert.doesNotMatch((await run("fail --help")).out, /Exit codes/);
});

test("a failure is JSON too where the command says so, and never without --json", async () => {
  const err = "stick: too light, x, take more\n";
  const out = '{"message":"too light, x, take more"}\n';
  assert.deepEqual(await run("weigh x --json"), { code: 1, out, err });
  assert.deepEqual(await run("weigh x"), { code: 1, out: "", err });
  assert.equal((await run("--json weigh")).out, '{"code":"wrong_usage"}\n');
  assert.equal((await run("fail command --json")).out, "");
});

test("--help after a double dash is a word like any other", async () => {
  const { out } = await run("show -- --help");
  assert.deepEqual((JSON.parse(out) as { positionals: string[] }).positionals, ["--help"]);
});
