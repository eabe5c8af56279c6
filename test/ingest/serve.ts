/** A listening ingest for tests, the fuzzer and the benchmark: everything real but the node directory, which is a map. */
import fastify, { type FastifyInstance } from "fastify";
import { join } from "node:path";
import type { FindingEntry } from "../../src/format/entry.ts";
import { nodeIdOf, publicKeyFromRaw, keyIdOf } from "../../src/format/identity.ts";
import { Admission } from "../../src/ingest/admit.ts";
import { ChainWriter } from "../../src/ingest/chain-writer.ts";
import type { Enrol } from "../../src/ingest/enrol.ts";
import { ingestRoutes } from "../../src/ingest/http.ts";
import { Incidents } from "../../src/ingest/incidents.ts";
import type { JournalPort } from "../../src/ingest/journal-port.ts";
import type { IngestLimits } from "../../src/ingest/limits.ts";
import type { KnownNode } from "../../src/ingest/node-directory.ts";
import { OwnStream } from "../../src/ingest/own-stream.ts";
import { loadServerKey, type ServerKey } from "../../src/ingest/server-key.ts";
import { ingestServerOptions } from "../../src/ingest/server-options.ts";
import type { SimNode } from "../simulate/sim-node.ts";
import { systemClock } from "../../src/std/clock.ts";
import { nodeDisk } from "../../src/std/node-disk.ts";

export interface ServeOptions {
  readonly directory: string;
  readonly journal: JournalPort;
  readonly limits?: IngestLimits;
  readonly port?: number;
}

export interface Serving {
  readonly url: string;
  readonly nodes: Map<string, KnownNode>;
  readonly writer: ChainWriter;
  readonly own: OwnStream;
  readonly admission: Admission;
  readonly incidents: Incidents;
  readonly serverKey: ServerKey;
  /** What was written to the own stream. */
  readonly findings: FindingEntry[];
  /** Our own mistakes. */
  readonly errors: unknown[];
  readonly app: FastifyInstance;
  enrolTest(node: SimNode): void;
  close(): Promise<void>;
}

/** The enrolment key that the test directory takes. */
export const TEST_SECRET = Buffer.alloc(24, 5);

export async function serveIngest(options: ServeOptions): Promise<Serving> {
  const { directory, journal, limits } = options;
  const clock = systemClock();
  const disk = nodeDisk();
  const errors: unknown[] = [];
  const findings: FindingEntry[] = [];
  const nodes = new Map<string, KnownNode>();
  const serverKey = await loadServerKey(disk, directory, true);
  const snapshot = { disk, path: join(directory, "heads") };
  const onFatal = (error: unknown): void => void errors.push(error);
  const writer = await ChainWriter.open({ journal, snapshot, onFatal });
  const own = new OwnStream({ key: serverKey, writer, clock });
  const more = limits === undefined ? {} : { limits };
  const write = (finding: FindingEntry): Promise<unknown> => {
    findings.push(finding);
    return own.append([finding]);
  };
  const incidents = new Incidents({ write, clock, ...more });
  const lookup = (id: string): KnownNode | undefined => nodes.get(id);
  const { report } = incidents;
  const key = serverKey.privateKey;
  const admission = new Admission({
    lookup,
    writer,
    journal,
    serverKey: key,
    clock,
    report,
    ...more,
  });
  const app = fastify(ingestServerOptions);
  await app.register(ingestRoutes, {
    admission,
    writer,
    lookup,
    serverKey,
    clock,
    ...more,
    enrol: enrolInto(nodes),
    onError: (error) => void errors.push(error),
  });
  const url = await app.listen({ host: "127.0.0.1", port: options.port ?? 0 });
  return {
    url,
    nodes,
    writer,
    own,
    admission,
    incidents,
    serverKey,
    findings,
    errors,
    app,
    enrolTest: (node) => void nodes.set(node.id, node.known()),
    close: async () => {
      await app.close();
      await incidents.close();
      await own.close();
      await writer.close();
    },
  };
}

function enrolInto(nodes: Map<string, KnownNode>): Enrol {
  const names = new Map<string, string>();
  return async ({ secret, publicKey, name }) => {
    const nodeId = nodeIdOf(publicKey).toString("hex");
    const known = nodes.get(nodeId);
    if (known?.state === "revoked") {
      return { outcome: "refused", code: "revoked_key", detail: "this key was revoked" };
    }
    if (known !== undefined) return { outcome: "enrolled", nodeId, name };
    if (!secret.equals(TEST_SECRET)) {
      return { outcome: "refused", code: "bad_enrolment_key", detail: "no such key" };
    }
    if (names.has(name))
      return { outcome: "refused", code: "name_taken", detail: `${name} is taken` };
    names.set(name, nodeId);
    const key = publicKeyFromRaw(publicKey);
    const keyId = keyIdOf(publicKey);
    nodes.set(nodeId, { publicKey: key, publicKeyBytes: publicKey, keyId, state: "active" });
    return { outcome: "enrolled", nodeId, name };
  };
}
