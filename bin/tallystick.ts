#!/usr/bin/env node
/** The server and the commands that ask it. What each does is in src/cli and src/serve. */
import "../src/std/require-node.ts";
import manifest from "../package.json" with { type: "json" };
import { tallystick } from "../src/cli/program.ts";
import { main } from "../src/std/command-line.ts";

await main(tallystick(manifest.version));
