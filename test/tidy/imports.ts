/** Who may import whom. Each check returns what is wrong as sentences; none means tidy. */
import { importsOf, type Import, type SourceFile } from "./source-tree.ts";
import type { Stage } from "./stages.ts";

/** Imports that point to a later stage, to a stage apart, or to packages a stage may not have. */
export function wrongDirections(files: readonly SourceFile[], stages: readonly Stage[]): string[] {
  const unknown = files.flatMap(({ path }) => {
    const folder = stageOf(path);
    if (!path.startsWith("src/") || stages.some((stage) => stage.folder === folder)) return [];
    return [`${path} is in no stage: list its folder in test/tidy/stages.ts`];
  });
  const wrong = files.flatMap(importsOf).flatMap((each) => {
    const why = wrongDirection(each, stages);
    return why === undefined ? [] : [`${each.from} imports ${each.to}: ${why}`];
  });
  return [...unknown, ...wrong];
}

/** One sentence per ring of files that import each other. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(files.map((file) => [file.path, importsOf(file).map(({ to }) => to)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

function wrongDirection({ from, to }: Import, stages: readonly Stage[]): string | undefined {
  if (to.startsWith("bin/")) return "bin/ wires, nothing imports it";
  if (!from.startsWith("src/")) return undefined;
  const source = stages.findIndex((stage) => stage.folder === stageOf(from));
  const stage = stages[source];
  if (stage === undefined) return undefined;
  if (!to.startsWith("src/")) return wrongOutside(from, to, stage);
  if (stageOf(to) === stage.folder) return undefined;
  const target = stages.findIndex((each) => each.folder === stageOf(to));
  if (stages[target]?.isApart === true) return `${stageOf(to)} runs apart from every other stage`;
  if (stage.imports !== undefined && !stage.imports.includes(stageOf(to))) {
    return `${stage.folder} may import ${stage.imports.join(", ")} alone`;
  }
  return target < source ? undefined : `${stageOf(to)} comes after ${stage.folder}`;
}

function wrongOutside(from: string, to: string, stage: Stage): string | undefined {
  const isFile = /^(?:test|demo|bench|scripts|docs|\.\.)\//.test(to);
  if (isFile) {
    const isStory = from.endsWith(".test.ts") && to.startsWith("test/");
    return isStory ? undefined : "src knows nothing outside src";
  }
  const isPackage = !to.startsWith("node:") && /^[@a-z]/.test(to) && !to.endsWith("package.json");
  if (isPackage && stage.hasPackages !== true && !from.endsWith(".test.ts")) {
    return `${stage.folder} has Node's own modules alone`;
  }
  return undefined;
}

function stageOf(path: string): string {
  return path.split("/")[1] ?? "";
}
