/** `tallystick findings`: mismatches without an excuse, and their evidence. */
import { writeFile } from "node:fs/promises";
import type { Call } from "../../std/command-line.ts";
import { CommandError } from "../../std/command-error.ts";
import type { OptionTable } from "../../std/command-options.ts";
import type { ApiClient } from "../api-client.ts";
import { humanTime, severityCell } from "../human.ts";
import { listOptions, runList } from "../list-command.ts";
import { remoteCommand } from "../remote-command.ts";

interface Finding {
  readonly time: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly node: string;
  readonly title: string;
  readonly id: string;
}

export const findingsCommand = remoteCommand({
  name: "findings",
  summary: "what is wrong: mismatches that nothing excuses",
  options: {
    ...listOptions,
    severity: {
      type: "text",
      summary: "only these",
      repeatable: true,
      choices: ["low", "medium", "high", "critical"],
    },
    state: { type: "text", summary: "only these", choices: ["open", "resolved"] },
    kind: { type: "text", summary: "only these, `missing-half` say", repeatable: true },
    evidence: { type: "text", value: "ID", summary: "this finding with its evidence, as JSON" },
    output: { type: "text", value: "FILE", short: "o", summary: "where the evidence goes" },
  },
  async run(call, api) {
    const { evidence, output, severity, state, kind } = call.options;
    if (evidence !== undefined) return writeEvidence(call, api, evidence, output);
    if (output !== undefined) {
      throw new CommandError("wrong_usage", "--output is for evidence, give --evidence ID too");
    }
    return runList<Finding>(call, api, {
      path: "/findings",
      filters: { severity, state, kind },
      headings: ["time", "severity", "state", "kind", "node", "title", "id"],
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

async function writeEvidence(
  call: Pick<Call<OptionTable>, "printJson" | "say">,
  api: ApiClient,
  id: string,
  file: string | undefined,
): Promise<void> {
  const finding = await api.get<object>(`/findings/${encodeURIComponent(id)}`);
  if (file === undefined) return call.printJson(finding);
  try {
    await writeFile(file, `${JSON.stringify(finding, null, 2)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new CommandError("command_failed", `cannot write, ${file}, name another --output`, {
      cause,
    });
  }
  call.say(`evidence of ${id} is in ${file}`);
}
