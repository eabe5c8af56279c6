import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { it } from "node:test";
import { Questions } from "./questions.ts";

function streams(isTTY: boolean) {
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined });
  return { input, output: new PassThrough() };
}

it("takes the lines of a pipe as answers, in their order, whenever they come", async () => {
  const { input, output } = streams(false);
  using questions = new Questions({ input, output });
  input.write("  ada \n pass word \n");
  assert.equal(await questions.ask("Name: "), "ada");
  assert.equal(await questions.askHidden("Password: "), " pass word ");
  const third = questions.ask("Code: ");
  input.end("123456");
  assert.equal(await third, "123456");
  await assert.rejects(questions.ask("More: "), /no answer, stdin ended/);
  output.end();
  assert.equal(await text(output), "Name: Password: \nCode: More: ");
});

it("shows at a terminal what is typed, and nothing of what is hidden", async () => {
  const { input, output } = streams(true);
  using questions = new Questions({ input, output });
  const name = questions.ask("Name: ");
  input.write("ada\r");
  assert.equal(await name, "ada");
  const password = questions.askHidden("Password: ");
  for (const key of "s3cret") input.write(key);
  input.write("\r");
  assert.equal(await password, "s3cret");
  const code = questions.ask("Code: ");
  input.write("42\r");
  assert.equal(await code, "42");
  output.end();
  const shown = await text(output);
  assert.match(shown, /ada/);
  assert.match(shown, /42/);
  for (const key of ["s3", "3c", "cr", "et"]) assert.ok(!shown.includes(key), shown);
});

it("is not answered by whoever interrupts", async () => {
  const { input, output } = streams(true);
  using questions = new Questions({ input, output });
  const password = questions.askHidden("Password: ");
  input.write("half\u0003");
  await assert.rejects(password, /no answer/);
});
