/** `tallystick settings [list|set]` */
import type { Answer } from "../../api/routes.ts";
import { CommandError } from "../../std/command-error.ts";
import type { Call, Command } from "../../std/command-line.ts";
import type { OptionTable } from "../../std/command-options.ts";
import { wrappable } from "../../std/table.ts";
import { remoteCommand } from "../remote-command.ts";

const list = remoteCommand({
  name: "settings list",
  summary: "what can be chosen, what is, and what it may be",
  aliases: ["settings"],
  options: {},
  async run(call, api) {
    const { items } = await api.call("GET /settings");
    printSettings(call, items);
  },
});

const set = remoteCommand({
  name: "settings set",
  summary: "choose; an owner may, and it stands in the audit",
  options: {},
  positionals: [
    { name: "NAME", summary: "as in `settings list`" },
    { name: "VALUE", summary: "a whole number" },
  ],
  async run(call, api) {
    const [name = "", text = ""] = call.positionals;
    if (!/^\d{1,9}$/.test(text)) {
      throw new CommandError("wrong_usage", `no whole number, ${text}, write digits alone`);
    }
    const { items } = await api.call("PATCH /settings", { body: { [name]: Number(text) } });
    printSettings(
      call,
      items.filter((setting) => setting.name === name),
    );
  },
});

function printSettings(
  call: Pick<Call<OptionTable>, "json" | "printJson" | "printTable">,
  settings: Answer<"GET /settings">["items"],
): void {
  if (call.json) {
    for (const setting of settings) call.printJson(setting);
    return;
  }
  call.printTable(
    ["name", "value", "unit", "default", "allowed", wrappable("what it is")],
    settings.map((setting) => [
      setting.name,
      setting.value,
      setting.unit,
      setting.default,
      `${setting.min} to ${setting.max}`,
      setting.summary,
    ]),
  );
}

export const settingCommands: readonly Command[] = [list, set];
