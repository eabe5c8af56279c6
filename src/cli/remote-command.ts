/** A command that asks a server: the connection options are added, the client is closed at the end. */
import { command, type Call, type Command, type CommandSpec } from "../std/command-line.ts";
import type { OptionTable } from "../std/command-options.ts";
import { ApiClient } from "./api-client.ts";
import { remoteOf, remoteOptions } from "./remote-options.ts";

export interface RemoteCommandSpec<Options extends OptionTable> extends Omit<
  CommandSpec<Options>,
  "run"
> {
  run(call: Call<Options>, api: ApiClient): Promise<void>;
}

export function remoteCommand<const Options extends OptionTable>(
  spec: RemoteCommandSpec<Options>,
): Command {
  return command({
    ...spec,
    options: { ...spec.options, ...remoteOptions },
    run: async (call) => {
      const api = new ApiClient(() => remoteOf(call.options, call.terminal.env));
      try {
        await spec.run(call, api);
      } finally {
        api.close();
      }
    },
  });
}
