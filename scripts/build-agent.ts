/**
 * Bundles the agent into one file that runs on Node 24.12 and later with nothing beside it, and
 * that an older Node understands well enough to say so: `dist/tallystick-agent.mjs`. Refuses to write a bundle that needs a package at run time, or that
 * drags in a part of the server: the store's engine alone is half a gigabyte.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

const outputFile = process.argv[2] ?? "dist/tallystick-agent.mjs";

/** What the agent may consist of; the same rule as in test/tidy/stages.ts, here on what really got in. */
const allowedInput =
  /^(?:bin\/tallystick-agent\.ts|src\/(?:std|format|query|agent)\/|package\.json$|node:)/;

/**
 * Node's own modules are asked for when the code that needs them runs. As imports they would be
 * bound before the first line: an older Node, which lacks some, would end with a stack trace.
 */
const builtinsWhenRun: Plugin = {
  name: "builtins-when-run",
  setup(bundler) {
    bundler.onResolve({ filter: /^node:/ }, ({ path }) => ({
      path: path.slice(5),
      namespace: "node",
    }));
    bundler.onLoad({ filter: /./, namespace: "node" }, ({ path }) => {
      if (!isBuiltin(`node:${path}`)) throw new Error(`Node has no module ${path}`);
      return { contents: `module.exports = process.getBuiltinModule("node:${path}")` };
    });
  },
};

const { metafile, outputFiles } = await build({
  entryPoints: ["bin/tallystick-agent.ts"],
  outfile: outputFile,
  bundle: true,
  platform: "node",
  // What runs is decided by src/std/require-node.ts; this is what parses.
  target: "node18",
  plugins: [builtinsWhenRun],
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
