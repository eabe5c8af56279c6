/**
 * Bundles the agent into one file that runs on Node 24.12 and later with nothing beside it:
 * `dist/tallystick-agent.mjs`. Refuses to write a bundle that needs a package at run time, or that
 * drags in a part of the server: the store's engine alone is half a gigabyte.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname } from "node:path";
import { build, type Metafile } from "esbuild";

const outputFile = "dist/tallystick-agent.mjs";

/** What the agent may consist of; the same rule as in test/tidy/stages.ts, here on what really got in. */
const allowedInput =
  /^(?:bin\/tallystick-agent\.ts|src\/(?:std|format|query|agent)\/|package\.json$)/;

const { metafile, outputFiles } = await build({
  entryPoints: ["bin/tallystick-agent.ts"],
  outfile: outputFile,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  metafile: true,
  write: false,
  sourcemap: false,
  legalComments: "none",
  logLevel: "warning",
});

const unwanted = [...strangers(metafile), ...runtimePackages(metafile)];
if (unwanted.length > 0) {
  console.error(`build:agent: the bundle would contain or need ${unwanted.join(", ")}`);
  console.error(
    "The agent may import src/agent, src/format, src/query, src/std and Node's own modules.",
  );
  process.exit(1);
}
mkdirSync(dirname(outputFile), { recursive: true });
const bundle = outputFiles.map(({ text }) => text).join("");
writeFileSync(outputFile, bundle, { mode: 0o755 });
console.log(`${outputFile}: ${(bundle.length / 1024).toFixed(1)} KiB, no runtime dependency`);

function strangers({ inputs }: Metafile): string[] {
  const names = Object.keys(inputs).filter((input) => !allowedInput.test(input));
  return [
    ...new Set(names.map((name) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? name)),
  ];
}

function runtimePackages({ outputs }: Metafile): string[] {
  return Object.values(outputs)
    .flatMap((output) => output.imports)
    .filter((each) => each.external === true && !isBuiltin(each.path))
    .map((each) => each.path);
}
