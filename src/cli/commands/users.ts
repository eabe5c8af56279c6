/** `tallystick users [list|create|role|disable|enable|delete|link|reset-second-factor]`, `tallystick admin signin-link` */
import type { Role } from "../../api/roles.ts";
import type { SignInLink } from "../../api/sign-in.ts";
import type { User } from "../../api/users.ts";
import { command, type Call, type Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { ApiClient } from "../api-client.ts";
import { humanTime } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";
import { dataRemote } from "../remote-options.ts";
import { shownOnce } from "../shown-once.ts";

type Link = SignInLink;
type Printer = Pick<Call<OptionTable>, "json" | "printJson" | "printTable" | "say" | "terminal">;

const NAME = { name: "USER", summary: "a user's name or id" } as const;
const ROLE = "viewer, operator, auditor, admin or owner (docs/access.md)";

const list = remoteCommand({
  name: "users list",
  summary: "who may sign in, and as what",
  aliases: ["users"],
  options: {},
  async run(call, api) {
    const { items } = await api.call("GET /users");
    printUsers(call, items);
  },
});

const create = remoteCommand({
  name: "users create",
  summary: "make a user, and print the one-time link by which they set a password",
  options: { role: { type: "text", summary: ROLE, value: "ROLE", required: true } },
  positionals: [{ name: "NAME", summary: "letters, digits, dots, dashes, underscores, @ and +" }],
  async run(call, api) {
    const [name = ""] = call.positionals;
    const body = { name, role: roleOf(call.options.role) };
    const made = await api.call("POST /users", { body });
    if (call.json) call.printJson(made);
    else printLink(call, made.link);
  },
});

const role = remoteCommand({
  name: "users role",
  summary: "give a user another role; their sessions end",
  options: {},
  positionals: [NAME, { name: "ROLE", summary: ROLE }],
  async run(call, api) {
    const [name = "", newRole = ""] = call.positionals;
    const body = { role: roleOf(newRole) };
    printUsers(call, [await api.call("POST /users/{id}/role", { params: { id: name }, body })]);
  },
});

const link = remoteCommand({
  name: "users link",
  summary: "print a one-time link by which a user sets password and second factor anew",
  options: {},
  positionals: [NAME],
  async run(call, api) {
    const made = await api.call("POST /signin/links", { body: { user: call.positionals[0] } });
    if (call.json) call.printJson(made);
    else printLink(call, made);
  },
});

const ACTIONS = [
  ["disable", "let a user in no more; their sessions end, their tokens do not count"],
  ["enable", "let a user in again"],
  ["reset-second-factor", "take the second factor away; the next sign-in sets up another"],
] as const;

const actions = ACTIONS.map(([action, summary]) =>
  remoteCommand({
    name: `users ${action}`,
    summary,
    options: {},
    positionals: [NAME],
    async run(call, api) {
      const [name = ""] = call.positionals;
      printUsers(call, [await api.call(`POST /users/{id}/${action}`, { params: { id: name } })]);
    },
  }),
);

const remove = remoteCommand({
  name: "users delete",
  summary: "delete a user with sessions and tokens; what they did stays in the audit",
  options: {},
  positionals: [NAME],
  async run(call, api) {
    const params = { id: call.positionals[0] ?? "" };
    printUsers(call, [await api.call("DELETE /users/{id}", { params })]);
  },
});

const signInLink = command({
  name: "admin signin-link",
  summary: "on the server's machine: a link that makes the first owner, or lets an owner in again",
  options: {
    data: { type: "text", value: "DIR", summary: "the server's data directory", required: true },
  },
  async run(call) {
    const api = new ApiClient(() => dataRemote(call.options.data));
    try {
      const made = await api.call("POST /signin/links", { body: {} });
      if (call.json) call.printJson(made);
      else printLink(call, made);
    } finally {
      api.close();
    }
  },
});

/** As it was typed: the server says which there are. */
function roleOf(text: string): Role {
  return text as Role;
}

function printLink(call: Printer, { url, expires_at: endsAt }: Link): void {
  // Alone on stdout, so that it can be caught.
  call.say(shownOnce(url));
  call.terminal.err(`once, until ${humanTime(endsAt)}; or by \`tallystick login --link\`\n`);
}

function printUsers(call: Printer, users: readonly User[]): void {
  if (call.json) {
    for (const user of users) call.printJson(user);
    return;
  }
  call.printTable(
    ["name", "role", "state", "second factor", "source", "created", "id"],
    users.map((user) => [
      user.name,
      user.role,
      stateOf(user),
      user.second_factor,
      user.source,
      humanTime(user.created_at),
      user.id,
    ]),
  );
}

function stateOf({ enabled, has_password: hasPassword }: User): string {
  if (!enabled) return "disabled";
  return hasPassword ? "enabled" : "invited";
}

export const userCommands: readonly Command[] = [
  list,
  create,
  role,
  link,
  ...actions,
  remove,
  signInLink,
];
