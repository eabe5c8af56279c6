/**
 * Room for bursts of kernel events. An agent on a machine's own network enlarges the buffer of its
 * event socket itself; from within a namespace it cannot, so whoever makes the namespace does.
 */
import { readFileSync, writeFileSync } from "node:fs";

const RMEM_DEFAULT = "/proc/sys/net/core/rmem_default";
/** As in src/agent/observe/host-settings.ts: about 25,000 events. */
const EVENT_BUFFER_BYTES = 32 * 1024 * 1024;

/** Sockets opened until it is disposed of get the large buffer. Does nothing where somebody did so already. */
export function enlargeEventBuffer(): Disposable {
  const before = readFileSync(RMEM_DEFAULT, "latin1").trim();
  const isEnough = Number(before) >= EVENT_BUFFER_BYTES;
  if (!isEnough) writeFileSync(RMEM_DEFAULT, String(EVENT_BUFFER_BYTES));
  return {
    [Symbol.dispose]: () => {
      if (!isEnough) writeFileSync(RMEM_DEFAULT, before);
    },
  };
}
