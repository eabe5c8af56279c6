/** `tallystick findings excuse|acknowledge|reopen`: a person's word about a finding, with its reason. */
import type { Answer } from "../../api/routes.ts";
import { EXCUSE_MS_MAX, REASON_CHARS_MAX } from "../../format/limits.ts";
import type { Command } from "../../std/command-line.ts";
import { formatDuration } from "../../std/duration.ts";
import type { ApiClient } from "../api-client.ts";
import { humanTime } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";

const reason = {
  type: "text",
  value: "TEXT",
  summary: "why; it is journaled",
  charsMax: REASON_CHARS_MAX,
  required: true,
} as const;
const expires = {
  type: "duration",
  summary: "opens again after this long",
  min: "1s",
  max: formatDuration(EXCUSE_MS_MAX),
} as const;
const positionals = [
  { name: "ID", summary: "as in `findings`; its first 6 digits may do" },
] as const;

const excuse = remoteCommand({
  name: "findings excuse",
  summary: "a mismatch has a harmless reason: its connection is excused",
  options: {
    reason,
    expires: { ...expires, summary: "opens again after this long; without it after 90d" },
  },
  positionals,
  run: (call, api) => rule(call, api, "excuse"),
});

const acknowledge = remoteCommand({
  name: "findings acknowledge",
  summary: "a finding is known and accepted, an opt-out say",
  options: { reason, expires },
  positionals,
  run: (call, api) => rule(call, api, "acknowledge"),
});

const reopen = remoteCommand({
  name: "findings reopen",
  summary: "take an excuse or acknowledgement back",
  options: { reason },
  positionals,
  run: (call, api) => rule(call, api, "reopen"),
});

type Ruled = Answer<"POST /findings/{id}/confirm">;

interface RulingCall {
  readonly options: { readonly reason: string; readonly expires?: number | undefined };
  readonly positionals: readonly string[];
  readonly json: boolean;
  readonly terminal: { readonly nowMs: number };
  readonly say: (text: string) => void;
  readonly printJson: (value: unknown) => void;
}

async function rule(
  call: RulingCall,
  api: Pick<ApiClient, "call">,
  action: "excuse" | "acknowledge" | "reopen",
): Promise<void> {
  const { options, positionals: words, terminal } = call;
  const { expires: lastsMs } = options;
  const end = lastsMs === undefined ? undefined : new Date(terminal.nowMs + lastsMs).toISOString();
  const params = { id: words[0] ?? "" };
  const body = { reason: options.reason, expires_at: end };
  const ruled = await api.call(`POST /findings/{id}/${action}`, { params, body });
  if (call.json) return call.printJson(ruled);
  if (ruled.proposal !== null) {
    const { ruling, by } = ruled.proposal;
    const how = `\`tallystick findings confirm ${ruled.id.slice(0, 8)}\` by somebody else`;
    return call.say(`${ruling} proposed by ${by}, whose node it is about; it counts after ${how}`);
  }
  call.say(saidOf(ruled));
}

function saidOf({ state, ruled_until, title }: Ruled): string {
  return `${state}${ruled_until === null ? "" : ` until ${humanTime(ruled_until)}`}: ${title}`;
}

const confirm = remoteCommand({
  name: "findings confirm",
  summary: "confirm as a second person what the owner of a node proposed",
  options: {},
  positionals,
  async run(call, api) {
    const params = { id: call.positionals[0] ?? "" };
    const ruled = await api.call("POST /findings/{id}/confirm", { params });
    if (call.json) return call.printJson(ruled);
    call.say(saidOf(ruled));
  },
});

export const rulingCommands: readonly Command[] = [excuse, acknowledge, reopen, confirm];
