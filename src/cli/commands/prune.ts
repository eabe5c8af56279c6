/** `tallystick admin prune`: makes room on the server's disk. */
import { humanBytes } from "../human.ts";
import { remoteCommand } from "../remote-command.ts";

export const pruneCommand = remoteCommand({
  name: "admin prune",
  summary: "make room: give up searchable connections and logs of the oldest days; it is audited",
  options: {
    before: {
      type: "time",
      summary: "days before this go, `30d` (ago) or 2026-03-01; the last day stays",
      required: true,
    },
  },
  async run(call, api) {
    const before = new Date(Math.max(0, call.options.before)).toISOString();
    const pruned = await api.call("POST /prune", { body: { before } });
    if (call.json) return call.printJson(pruned);
    const { rows, bytes, days } = pruned;
    const [first, last] = [days[0], days.at(-1)];
    if (first === undefined) call.say(`nothing before ${before.slice(0, 10)} can be given up`);
    else call.say(`${rows} rows of ${first} to ${last} are gone, ${humanBytes(bytes)}`);
  },
});
