/**
 * The embedded engine's native binding, typed. We go below `chdb`'s own `Session` for one reason: a Session that is closed
 * while any other query of the process runs stays open until that one ends, so a single long query would pile up a
 * connection (100 KB) for each short one beside it. A native connection only has to outlive its own operation,
 * and here each has exactly one.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** An open connection; opaque. Opening one on the process's data directory costs 0.3 ms. */
export interface NativeConnection {
  readonly native: unique symbol;
}

export interface NativeResult {
  readonly bytes: Buffer;
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface NativeEngine {
  CreateConnection(path: string, args?: readonly string[]): NativeConnection;
  /** Runs one or more statements on libuv's pool; resolves with the last one's output. Cannot be interrupted but by KILL QUERY. */
  QueryAsyncConnection(
    connection: NativeConnection,
    sql: string,
    format: string,
  ): Promise<NativeResult>;
  /** Only when the connection's operation has settled: closing earlier aborts the engine. */
  CloseConnection(connection: NativeConnection): void;
}

/** Loads the engine's library (540 MB mapped); once a process. */
export function loadNativeEngine(): NativeEngine {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("chdb/package.json"));
  const loader = require(join(folder, "dist/loader.js")) as { loadNative(): NativeEngine };
  return loader.loadNative();
}
