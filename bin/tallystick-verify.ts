#!/usr/bin/env node
/** `tallystick verify` alone: needs Node and nothing else, so that it can be handed to a stranger. */
import "../src/std/require-node.ts";
import manifest from "../package.json" with { type: "json" };
import { verifyCommand } from "../src/evidence/verify-command.ts";
import { main } from "../src/std/command-line.ts";

await main(
  {
    name: "tallystick",
    summary: "Checks evidence that a Tallystick server exported, trusting nobody.",
    version: manifest.version,
    commands: [verifyCommand],
  },
  ["verify", ...process.argv.slice(2)],
);
