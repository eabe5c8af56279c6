import assert from "node:assert/strict";
import { test } from "node:test";
import { fileAt } from "../tidy/source-tree.ts";
import { ATTACKS } from "./attacks/registry.ts";

/** The classes in the tables of one part of the page, in its order. */
function classesUnder(heading: string): string[] {
  const { text } = fileAt("docs/threat-model.md");
  const part = text.split(/^## /m).find((each) => each.startsWith(heading)) ?? "";
  return [...part.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = ""]) => name);
}

test("docs/threat-model.md lists the classes that are found, in the lab's order, and no other", () => {
  const names = ATTACKS.filter(({ detection }) => "finds" in detection).map(({ name }) => name);
  assert.deepEqual(classesUnder("What is found"), names);
});

test("docs/threat-model.md lists the classes that cannot be found, and no other", () => {
  const names = ATTACKS.filter(({ detection }) => "never" in detection).map(({ name }) => name);
  assert.deepEqual(classesUnder("What cannot be found"), names);
});

test("docs/threat-model.md names the findings by which each class shows", () => {
  const { text } = fileAt("docs/threat-model.md");
  for (const { name, detection } of ATTACKS) {
    if (!("finds" in detection)) continue;
    const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
    const [, , , shows = ""] = row.split("|");
    const named = new Set([...shows.matchAll(/`([^`]+)`/g)].map(([, kind]) => kind));
    assert.deepEqual(
      detection.finds.filter((kind) => !named.has(kind)),
      [],
      `${name} shows as ${detection.finds.join(" or ")}, and the page says: ${shows}`,
    );
  }
});
