/** One `conntrack -L`: the kernel's table, line by line. */
import { spawn } from "node:child_process";
import { parseConntrackLine, type ConntrackEvent } from "./conntrack-line.ts";

export interface TableDump {
  /** Undefined when the whole table was read, else why not. */
  readonly failure: string | undefined;
  readonly entries: number;
}

const NEWLINE = 0x0a;

/** Reads the table; `onEntry` is called for each entry as it arrives. `signal` ends it at once. Never rejects. */
export function dumpTable(
  command: readonly string[],
  onEntry: (event: ConntrackEvent) => void,
  signal: AbortSignal,
): Promise<TableDump> {
  const [program = "conntrack", ...leading] = command;
  const child = spawn(program, [...leading, "-L", "-o", "extended,id"], {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  let entries = 0;
  let said = "";
  let carry: Buffer = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (signal.aborted) return;
    carry = eachLine(Buffer.concat([carry, chunk]), (bytes, start, end) => {
      const event = parseConntrackLine(bytes, start, end);
      if (event.type !== "entry") return;
      entries++;
      onEntry(event);
    });
  });
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => (said = (said + text).slice(-500)));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ failure: error.message, entries }));
    child.on("close", (code) => {
      resolve({ failure: code === 0 ? undefined : said.trim() || `exit status ${code}`, entries });
    });
  });
}

/** Calls for each whole line; returns a copy of what is left. */
function eachLine(
  bytes: Buffer,
  call: (bytes: Buffer, start: number, end: number) => void,
): Buffer {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return Buffer.from(bytes.subarray(start));
    call(bytes, start, end);
    start = end + 1;
  }
}
