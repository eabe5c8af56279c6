/**
 * The agent's own nft table. Connection tracking is idle in a network namespace until some rule
 * asks for it; these three ask and do nothing else. Accepting nothing and refusing nothing, they
 * leave every other table's decision alone.
 */
import { spawn } from "node:child_process";

const TABLE = "inet tallystick";
/** Added before it is deleted, so that a table left by a killed agent is replaced in one step. */
const ADD = `
add table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  chain input { type filter hook input priority 0; policy accept; ct state new counter; }
  chain output { type filter hook output priority 0; policy accept; ct state new counter; }
  chain forward { type filter hook forward priority 0; policy accept; ct state new counter; }
}
`;
const REMOVE = `
add table ${TABLE}
delete table ${TABLE}
`;

export class TrackingRule {
  #active = false;

  get isActive(): boolean {
    return this.#active;
  }

  /** Undefined when done, else why not. */
  async add(): Promise<string | undefined> {
    const failure = await nft(ADD);
    if (failure === undefined) this.#active = true;
    return failure;
  }

  async remove(): Promise<string | undefined> {
    if (!this.#active) return undefined;
    const failure = await nft(REMOVE);
    if (failure === undefined) this.#active = false;
    return failure;
  }
}

function nft(script: string): Promise<string | undefined> {
  const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => (said = (said + text).slice(-300)));
  child.stdin.on("error", () => {});
  child.stdin.end(script);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => {
      resolve(code === 0 ? undefined : said.trim() || `exit status ${code}`);
    });
  });
}
