/**
 * Every class of fault, injected once, against the whole server; and the same run without any.
 * `node test/faults/classes.ts` prints which finding each becomes, and exits 1 when one does not.
 */
import { formatTable } from "../../src/std/table.ts";
import type { FaultClass } from "./fault-class.ts";
import { FAULTS_AT_INTAKE } from "./faults-at-intake.ts";
import { FAULTS_OF_NODES } from "./faults-of-nodes.ts";
import { FAULTS_OF_RECORDS } from "./faults-of-records.ts";
import { type FoundFinding, World } from "./world.ts";

/** Longer than a node may be silent, and than an undeclared hole is waited for. */
const PATIENCE_MS = 120_000;
/** A node's first seconds excuse much. */
const WARM_UP_MS = 20_000;

export const FAULT_CLASSES: readonly FaultClass[] = [
  ...FAULTS_OF_RECORDS,
  ...FAULTS_OF_NODES,
  ...FAULTS_AT_INTAKE,
];

/** What all faults together are found as. */
export const FINDINGS_EXPECTED = FAULT_CLASSES.reduce(
  (sum, { restsOn }) => sum + 1 + (restsOn?.count ?? 0),
  0,
);

/** The findings of one run: all faults, or none. `look` sees the world before it ends. */
export async function runClasses(
  faulty: boolean,
  look: (world: World, found: readonly FoundFinding[]) => Promise<void> = async () => undefined,
): Promise<FoundFinding[]> {
  await using world = await World.open();
  const acts: ((faulty: boolean) => Promise<void> | void)[] = [];
  for (const each of FAULT_CLASSES) acts.push(await each.prepare(world));
  await world.pass(WARM_UP_MS);
  for (const act of acts) await act(faulty);
  await world.pass(PATIENCE_MS);
  const expected = faulty ? FINDINGS_EXPECTED : 0;
  const found = await world.findings((some) => some.length >= expected);
  await look(world, found);
  return found;
}

/** The one finding that is this class's, and then those that it rests on; or what is wrong with what was found. */
export function match(each: FaultClass, found: readonly FoundFinding[]): FoundFinding[] | string {
  const { fault, kind, node, says, restsOn } = each;
  const fitting = found.filter(
    (one) => one.kind === kind && one.node === node && (says?.(one.evidence) ?? true),
  );
  const [one] = fitting;
  if (one === undefined || fitting.length > 1) return `${fault}: ${fitting.length} findings`;
  const lacking = each.evidence.filter((key) => !Object.hasOwn(one.evidence, key));
  if (lacking.length > 0) return `${fault}: the evidence lacks ${lacking.join(", ")}`;
  if (one.severity !== each.severity) return `${fault}: ${one.severity}`;
  if (restsOn === undefined) return [one];
  const ground = found.filter((other) => other.kind === restsOn.kind && other.node === node);
  if (ground.length !== restsOn.count) return `${fault}: rests on ${ground.length} findings`;
  return [one, ...ground];
}

if (import.meta.main) {
  const found = await runClasses(true);
  const rows = FAULT_CLASSES.map((each) => {
    const matched = match(each, found);
    if (typeof matched === "string") {
      process.exitCode = 1;
      return [each.fault, "NOT FOUND", "", matched];
    }
    const keys = Object.keys(matched[0]?.evidence ?? {});
    return [each.fault, each.kind, each.severity, keys.join(", ")];
  });
  process.stdout.write(formatTable(["fault", "finding", "severity", "evidence"], rows));
  const honest = await runClasses(false);
  process.stdout.write(`without faults: ${honest.length} findings\n`);
  if (honest.length > 0 || found.length !== FINDINGS_EXPECTED) process.exitCode = 1;
}
