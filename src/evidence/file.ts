/** An evidence file as text, and the way back. */
import { factsOf, factSteps, type Facts } from "./facts.ts";
import { DATA_MARK, dataChunks, type EvidenceData } from "./data-part.ts";
import { FIRST_WORDS, readablePart } from "./readable.ts";

/** In pieces, because all of it may be long. `pause` is awaited after each step of the work. */
export async function* evidenceChunks(
  data: EvidenceData,
  pause: () => Promise<void>,
): AsyncGenerator<string, void, void> {
  yield readablePart(await pausedFacts(data, pause));
  yield* dataChunks(data);
}

async function pausedFacts(data: EvidenceData, pause: () => Promise<void>): Promise<Facts> {
  const steps = factSteps(data);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** The whole file at once. */
export function evidenceText(data: EvidenceData): string {
  return readablePart(factsOf(data)) + [...dataChunks(data)].join("");
}

/** Whether it is meant to be one, damaged as it may be: it begins like one, or has the line between the parts. */
export function isEvidence(text: string): boolean {
  return text.startsWith(FIRST_WORDS) || splitFile(text) !== undefined;
}

/** The two parts of a file; undefined where the mark is missing. */
export function splitFile(text: string): { readable: string; data: string } | undefined {
  const mark = `\n${DATA_MARK}\n`;
  const at = text.indexOf(mark);
  if (at < 0) return undefined;
  const end = at + mark.length;
  return { readable: text.slice(0, end), data: text.slice(end) };
}
