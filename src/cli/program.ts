/** The commands of `tallystick`, in the order of its help. */
import type { Program } from "../std/command-line.ts";
import { verifyCommand } from "../evidence/verify-command.ts";
import { auditCommand } from "./commands/audit.ts";
import { connectionsCommand } from "./commands/connections.ts";
import { findingsCommand } from "./commands/findings.ts";
import { keyCommands } from "./commands/keys.ts";
import { loginCommands } from "./commands/login.ts";
import { nodeCommands } from "./commands/nodes.ts";
import { pruneCommand } from "./commands/prune.ts";
import { rulingCommands } from "./commands/rulings.ts";
import { serverCommand } from "./commands/server.ts";
import { settingCommands } from "./commands/settings.ts";
import { sqlCommand } from "./commands/sql.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommands } from "./commands/tokens.ts";
import { userCommands } from "./commands/users.ts";

export function tallystick(version: string): Program {
  return {
    name: "tallystick",
    summary: "Both ends of every connection, recorded, compared, and kept so that tampering shows.",
    version,
    commands: [
      serverCommand(version),
      statusCommand,
      connectionsCommand,
      findingsCommand,
      ...rulingCommands,
      auditCommand,
      ...nodeCommands,
      ...keyCommands,
      ...userCommands,
      ...tokenCommands,
      ...loginCommands,
      ...settingCommands,
      pruneCommand,
      sqlCommand,
      verifyCommand,
    ],
  };
}
