/** `tallystick findings`: mismatches without an excuse, one of them in full, and its evidence as a file. */
import { pipeline } from "node:stream/promises";
import { FINDING_KINDS } from "../../api/finding-kinds.ts";
import { claimsOf } from "../../evidence/claims.ts";
import type { Watermark } from "../../evidence/finding-text.ts";
import type { Finding } from "../../api/findings.ts";
import { SEVERITIES } from "../../format/entry.ts";
import { FINDING_STATES, type FindingState } from "../../format/finding-state.ts";
import { findingCatalogue } from "../../query/catalogues/findings.ts";
import { CommandError } from "../../std/command-error.ts";
import type { Call } from "../../std/command-line.ts";
import { optionFlag, type OptionTable } from "../../std/command-options.ts";
import { cuttable } from "../../std/table.ts";
import type { ApiClient } from "../api-client.ts";
import { findingPage } from "../finding-page.ts";
import { humanTime, severityCell } from "../human.ts";
import { listOptions, type Round, runList } from "../list-command.ts";
import { remoteCommand } from "../remote-command.ts";
import { remoteOptions } from "../remote-options.ts";
import { writeNewFile } from "../write-file.ts";

type Printer = Pick<Call<OptionTable>, "json" | "printJson" | "say" | "terminal">;

/** Less of a title says nothing. */
const TITLE_COLUMNS_MIN = 24;

/** What is neither a filter of the list nor an option of every command. */
const ABOUT_ONE: ReadonlySet<string> = new Set([
  "id",
  "evidence",
  "output",
  ...Object.keys(remoteOptions),
]);

export const findingsCommand = remoteCommand({
  name: "findings",
  summary: "what is wrong: mismatches that nothing excuses",
  options: {
    ...listOptions,
    since: {
      ...listOptions.since,
      summary: `${listOptions.since.summary}; open ones are listed whatever their age`,
    },
    node: {
      ...listOptions.node,
      summary: "only those that involve this node, as an end, a forwarder, a witness or otherwise",
    },
    severity: {
      type: "text",
      summary: "only these",
      repeatable: true,
      choices: SEVERITIES,
    },
    state: {
      type: "text",
      summary: "only these; without it all, the open ones first",
      repeatable: true,
      choices: FINDING_STATES,
    },
    kind: { type: "text", summary: "only these", repeatable: true, choices: FINDING_KINDS },
    id: {
      type: "text",
      value: "ID",
      summary: "this one in full: both ledgers, causes, what to do; its first 6 digits may do",
    },
    evidence: {
      type: "text",
      value: "ID",
      summary: "this one with all that was signed, for `tallystick verify`",
    },
    output: {
      type: "text",
      value: "FILE",
      short: "o",
      summary: "where the evidence goes, `-` for stdout; never over another file",
    },
  },
  async run(call, api) {
    const { id, evidence, output, severity, state, kind } = call.options;
    checkAboutOne(call.options);
    if (evidence !== undefined) return exportEvidence(call, api, evidence, output);
    if (output !== undefined) {
      throw new CommandError("wrong_usage", "--output is for evidence, give --evidence ID too");
    }
    if (id !== undefined) return showFinding(call, api, id);
    return runList(call, api, {
      topic: "findings",
      catalogue: findingCatalogue(FINDING_KINDS),
      filters: { severity, state, kind },
      rounds: roundsOf(state.length === 0 ? FINDING_STATES : state),
      nothing: "nothing open, and nothing else in this time; look further back with --since 7d",
      headings: [
        "time",
        "severity",
        "state",
        "kind",
        cuttable("node"),
        cuttable("title", TITLE_COLUMNS_MIN),
        "id",
      ],
      row: (finding) => [
        humanTime(finding.time),
        severityCell(finding.severity),
        finding.state,
        finding.kind,
        finding.node,
        finding.title,
        finding.id,
      ],
    });
  },
});

/** The open ones first: they wait for somebody, however old they are. */
function roundsOf(states: readonly FindingState[]): Round[] {
  const others = states.filter((state) => state !== "open");
  return [
    ...(states.includes("open")
      ? [{ filters: { state: ["open" as const] }, isOfAnyAge: true }]
      : []),
    ...(others.length > 0 ? [{ filters: { state: others } }] : []),
  ];
}

/** Filters beside one finding would be passed over, and its reader would think that it fits them. */
function checkAboutOne(options: Readonly<Record<string, unknown>>): void {
  const [name, second] = ["id", "evidence"].filter((each) => options[each] !== undefined);
  if (name === undefined) return;
  if (second !== undefined) {
    const line = "one finding is shown or written, --id and --evidence, give one of them";
    throw new CommandError("wrong_usage", line);
  }
  const other = Object.keys(options).find((each) => !ABOUT_ONE.has(each) && isGiven(options[each]));
  if (other === undefined) return;
  const which = `${optionFlag(name)} names one finding`;
  const line = `${optionFlag(other)} is for the list, ${which}, leave out one of them`;
  throw new CommandError("wrong_usage", line);
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

async function showFinding(call: Printer, api: ApiClient, id: string): Promise<void> {
  const finding = await api.call("GET /findings/{id}", { params: { id } });
  if (call.json) return call.printJson(finding);
  call.terminal.out(findingPage(finding, await watermarks(api, finding)));
  call.say(`\nAll that was signed: tallystick findings --evidence ${finding.id} -o FILE`);
}

/** How far the nodes of a connection are complete by now. */
async function watermarks(api: ApiClient, { evidence }: Finding): Promise<Watermark[]> {
  const { halves, absence } = claimsOf(evidence);
  const ids = new Set([...halves.map(({ node }) => node), absence?.node]);
  if (halves.length === 0) return [];
  const { items } = await api.call("GET /nodes");
  return items.flatMap(({ id, name, watermark }) => {
    if (!ids.has(id) || watermark === null) return [];
    return [{ name, completeToMs: Date.parse(watermark), of: "by now" }];
  });
}

/** Without a file, and with `-`, to stdout: as text, so not under `--json`. */
async function exportEvidence(
  call: Printer,
  api: ApiClient,
  given: string,
  file = "-",
): Promise<void> {
  if (file === "-" && call.json) {
    throw new CommandError("wrong_usage", "evidence is text, not JSON, name a file by --output");
  }
  const { id } = await api.call("GET /findings/{id}", { params: { id: given } });
  const content = await api.download("GET /findings/{id}/evidence", { params: { id } });
  if (file === "-") {
    return pipeline(content.setEncoding("utf8"), async (texts: AsyncIterable<string>) => {
      for await (const text of texts) call.terminal.out(text);
    });
  }
  const bytes = await writeNewFile(file, content);
  call.say(`evidence of ${id} is in ${file}; check it with: tallystick verify ${file}`);
  if (call.json) call.printJson({ id, file, bytes });
}
