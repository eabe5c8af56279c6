/**
 * Checks an evidence file with nothing but the file: what was signed, what follows from it, and what
 * nobody can tell from here. Trusts neither the server nor the nodes nor whoever passed it on.
 */
import { type Check, fails, holds, open } from "./checks/check.ts";
import { checkAbsence } from "./checks/absence.ts";
import { checkHalves } from "./checks/halves.ts";
import { checkNodeFinding } from "./checks/node-findings.ts";
import { checkNodes } from "./checks/nodes.ts";
import { checkServer, SERVER_KEY } from "./checks/server.ts";
import { dataChunks, type EvidenceData, evidenceData, parseData } from "./data-part.ts";
import { type CaseFacts, type Facts, factsOf } from "./facts.ts";
import { isEvidence, splitFile } from "./file.ts";
import { VERIFIED_BYTES_MAX } from "./limits.ts";
import { readablePart } from "./readable.ts";
import { counted } from "./values.ts";

export interface VerifyOptions {
  /** The server's key as the reader knows it, 32 bytes. */
  readonly serverKey?: Uint8Array;
}

/** Of the checks together. `changed`: not what a server writes; `contradicts`: what was signed does not fit. */
export type Verdict = "sound" | "changed" | "contradicts" | "other server";

/** Undefined for what is something else than a file of evidence, be it whole or damaged. */
export function verifyBytes(bytes: Buffer, options: VerifyOptions = {}): Check[] | undefined {
  const text = bytes.toString("utf8");
  if (!isEvidence(text)) return undefined;
  // Bytes that are no UTF-8 would become one and the same character, and hide what changed.
  if (Buffer.from(text).equals(bytes)) return verifyEvidence(text, options);
  return [fails(FORM, "it is not UTF-8, as every file of evidence is")];
}

/** Every check that could be made, in the order in which they are worth reading; never throws for a bad file. */
export function verifyEvidence(text: string, options: VerifyOptions = {}): Check[] {
  const parts = splitFile(text);
  if (parts === undefined) return [fails(FORM, "the line before the signed data is not there")];
  let data: EvidenceData;
  try {
    data = parseData(parts.data);
  } catch (error) {
    return [fails(FORM, error instanceof Error ? error.message : String(error))];
  }
  const whole = data.pieces.filter(({ payload }) => payload !== undefined);
  const rawBytes = whole.reduce((sum, { header }) => sum + header.rawBytes, 0);
  if (rawBytes > VERIFIED_BYTES_MAX) {
    return [fails(FORM, `it unpacks to ${rawBytes} bytes: no server exports so much`)];
  }
  const facts = factsOf(data);
  return [
    dataForm(parts.data, data),
    readableForm(parts.readable, readablePart(facts)),
    ...checkServer(facts, options.serverKey),
    ...checkNodes(facts),
    ...facts.cases.flatMap((each, index) => caseChecks(facts, each, index)),
    ...checkNodeFinding(facts),
    open(
      "journal",
      "that the journal still holds these batches: proofs of its tree are not part of this file",
    ),
  ];
}

/** Of the finding itself, or of what supports it. */
function caseChecks(facts: Facts, each: CaseFacts, index: number): Check[] {
  const checks = [...checkHalves(facts, each), ...checkAbsence(facts, each)];
  if (index === 0) return checks;
  return checks.map((check) => ({ ...check, subject: `contradiction ${index}: ${check.subject}` }));
}

/** True when nothing contradicts. */
export function isSound(checks: readonly Check[]): boolean {
  return checks.every(({ outcome }) => outcome !== "fails");
}

/** What to call it when checks fail: somebody's other key is no forgery. */
export function verdictOf(checks: readonly Check[]): Verdict {
  const failing = checks.flatMap(({ subject, outcome }) => (outcome === "fails" ? [subject] : []));
  if (failing.length === 0) return "sound";
  if (failing.every((subject) => subject === SERVER_KEY)) return "other server";
  return failing.some((subject) => FORMS.has(subject)) ? "changed" : "contradicts";
}

const FORM = "form";
const DATA_PART = "data part";
const READABLE_PART = "readable part";
const FORMS: ReadonlySet<string> = new Set([FORM, DATA_PART, READABLE_PART]);

function dataForm(given: string, data: EvidenceData): Check {
  const { pieces } = data;
  const expected = [...dataChunks(evidenceData(data))].join("");
  return given === expected
    ? holds(
        DATA_PART,
        `${counted(pieces.length, "signed piece", "signed pieces")}, each in its one spelling`,
      )
    : fails(DATA_PART, `${differsAt(given, expected)} of the data is not as a server writes it`);
}

function readableForm(given: string, expected: string): Check {
  return given === expected
    ? holds(READABLE_PART, "it says what the signed data says, to the letter")
    : fails(READABLE_PART, `${differsAt(given, expected)} is not what the signed data says`);
}

function differsAt(given: string, expected: string): string {
  const lines = [given, expected].map((text) => text.split("\n"));
  const [a = [], b = []] = lines;
  const at = a.findIndex((line, index) => line !== b[index]);
  return `line ${(at < 0 ? a.length : at) + 1}`;
}
