/** Sends bytes as they are and reads what comes back, for a bounded time. */
import { connect } from "node:net";
import type { RawCase } from "./http-mutants.ts";

export interface RawAnswer {
  /** `closed`: the server ended the connection. `timeout`: neither enough answers nor an end in time. */
  readonly outcome: "answered" | "closed" | "timeout";
  readonly statuses: readonly number[];
  readonly text: string;
}

/** Resolves with the answers as soon as there are enough of them, the connection ends, or time is over. */
export function sendRaw(port: number, one: RawCase, timeoutMs: number): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const socket = connect(port, "127.0.0.1");
  let text = "";
  const finish = (outcome: RawAnswer["outcome"]): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ outcome, statuses: statusesIn(text), text });
  };
  const timer = setTimeout(() => finish("timeout"), timeoutMs);
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (statusesIn(text).length >= one.answers && text.endsWith("}")) finish("answered");
  });
  socket.on("end", () => finish("closed"));
  socket.on("error", () => finish("closed"));
  socket.on("close", () => finish("closed"));
  if (one.end) socket.end(one.bytes);
  else socket.write(one.bytes);
  return promise;
}

function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
