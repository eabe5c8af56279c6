/**
 * The whole server. Starting: own the directory, recover, listen, and then let the searchable side
 * catch up. Stopping: the other way round, so that whatever was acknowledged is durable and the last
 * entry of the server's own stream says that it stopped.
 */
import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { loadAdminToken } from "../control/admin-token.ts";
import type { AuditEntry } from "../format/entry.ts";
import { LIARS_DEFAULT } from "../format/limits.ts";
import { type Clock, systemClock } from "../std/clock.ts";
import { replaceFile } from "../std/durable-file.ts";
import { nodeDisk } from "../std/node-disk.ts";
import { SYSTEM } from "../control/who.ts";
import { authenticateBy, isAliveIn } from "./access/authenticate.ts";
import { RunningRequests } from "./access/running-requests.ts";
import { SessionCookie } from "./access/session-cookie.ts";
import { SignInThrottle } from "./access/signin-throttle.ts";
import { aborted } from "./aborted.ts";
import type { Vitals } from "./api.ts";
import { ReadAudit } from "./audit/read-audit.ts";
import { RefusalAudit } from "./audit/refusal-audit.ts";
import { EventHub } from "./events/event-hub.ts";
import { evidenceSource } from "./evidence-source.ts";
import { serveHttp } from "./http-server.ts";
import { Intake } from "./intake.ts";
import { localUrl, parseListen, publicHostOf } from "./listen-address.ts";
import { TOPICS } from "./query/topics.ts";
import { FlowCookie } from "./oidc/flow-cookie.ts";
import { guardedFetch } from "./oidc/guarded-fetch.ts";
import { Retention } from "./store/retention.ts";
import { Searchable } from "./store/searchable.ts";
import { ServeError } from "./serve-error.ts";
import { signInUrl } from "./sign-in-url.ts";
import { WebhookSender } from "./webhook/webhook-sender.ts";
import { chooseTransport, type Transport } from "./tls/transport.ts";

export interface ServerOptions {
  readonly dataDir: string;
  /** `HOST:PORT` */
  readonly listen: string;
  readonly publicUrl?: string;
  readonly trustedProxies: readonly string[];
  readonly certificateFile?: string;
  readonly keyFile?: string;
  readonly allowHttp: boolean;
  /** A ClickHouse server's URL; absent: the embedded engine. */
  readonly storeUrl?: string;
  /** f: as many nodes may conspire about one without its being accused; 1 to `LIARS_MAX`. Default 1. */
  readonly maxLiars?: number;
  readonly version: string;
  readonly clock?: Clock;
  /** One line about the server's operation. */
  readonly log: (line: string) => void;
  /** Ends a start that is under way: the server is then not searchable, and waits to be closed. */
  readonly stop?: AbortSignal;
  /** The process must end: what is in memory may be ahead of the disk. */
  readonly onFatal: (error: Error) => void;
}

export interface RunningServer {
  /** Reaches it from its own machine. */
  readonly url: string;
  readonly adminTokenFile: string;
  /** This was the first start. */
  readonly isNew: boolean;
  /** By which the first owner is made; absent where there are users. */
  readonly signInUrl: string | undefined;
  /** Queries are answered. If not, the store could not be started yet; agents are served all the same. */
  readonly isSearchable: boolean;
  close(reason: string): Promise<void>;
}

/** A store that does not answer by then is dead, and the server serves without it. */
const USABLE_MS_MAX = 30_000;
/** One elsewhere runs already, or nobody knows when it will. */
const REMOTE_USABLE_MS_MAX = 5_000;

/** Names under DIR that other commands read. */
export const SERVING_FILE = "serving.json";
export const ADMIN_TOKEN_FILE = "admin.token";

/** Throws the errors of its stages; then nothing is left running. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { dataDir, clock = systemClock(), stop = new AbortController().signal, onFatal } = options;
  const disk = nodeDisk();
  const transport = await prepare(options, clock);
  let server: Server | undefined;
  const isStoreHere = options.storeUrl === undefined;
  // 0 is what the thread says that has just begun.
  const committed = () => (isStoreHere ? server?.committed || undefined : undefined);
  const intake = await Intake.open({ dataDir, disk, clock, committed, onFatal });
  server = new Server({ ...options, clock, stop }, transport, intake);
  try {
    if (!stop.aborted) await server.start();
    return server;
  } catch (error) {
    await server.close("could not start");
    throw error;
  }
}

/** True when another command line would have worked. */
export function isWrongUsage(error: unknown): boolean {
  if (!(error instanceof ServeError)) return false;
  return ["bad_listen", "bad_public_url", "bad_proxy", "bad_tls"].includes(error.code);
}

async function prepare(options: ServerOptions, clock: Clock): Promise<Transport> {
  const { dataDir, publicUrl, certificateFile, keyFile, allowHttp } = options;
  const listen = parseListen(options.listen);
  const disk = nodeDisk();
  try {
    await disk.mkdir(dataDir);
    await chmod(dataDir, 0o700);
  } catch (cause) {
    const isFile = await stat(dataDir).then(
      (found) => found.isFile(),
      () => false,
    );
    const what = isFile ? "is a file" : "cannot be made or owned";
    throw new ServeError("bad_data_dir", `${dataDir} ${what}, name another --data`, { cause });
  }
  return chooseTransport({
    listenHost: listen.host,
    dataDir,
    allowHttp,
    disk,
    nowMs: clock.nowMs(),
    ...(publicUrl === undefined ? {} : { publicHost: publicHostOf(publicUrl) }),
    ...(certificateFile === undefined ? {} : { certificateFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  });
}

class Server implements RunningServer {
  url = "";
  isNew = false;
  signInUrl: string | undefined;
  isSearchable = false;
  readonly adminTokenFile: string;
  readonly #options: ServerOptions & { readonly clock: Clock; readonly stop: AbortSignal };
  readonly #transport: Transport;
  readonly #intake: Intake;
  readonly #searchable: Searchable;
  readonly #retention: Retention;
  #app: FastifyInstance | undefined;
  #closing: Promise<void> | undefined;
  readonly #events: EventHub;
  readonly #webhook: WebhookSender;
  readonly #audit: { readonly reads: ReadAudit; readonly refusals: RefusalAudit };

  constructor(
    options: ServerOptions & { readonly clock: Clock; readonly stop: AbortSignal },
    transport: Transport,
    intake: Intake,
  ) {
    this.#options = options;
    this.#transport = transport;
    this.#intake = intake;
    const { clock } = options;
    const append = (entries: readonly AuditEntry[]) => intake.appendAudit(entries);
    this.#audit = {
      reads: new ReadAudit({ clock, append }),
      refusals: new RefusalAudit({ clock, append }),
    };
    this.adminTokenFile = join(options.dataDir, ADMIN_TOKEN_FILE);
    this.#searchable = new Searchable({
      ...options,
      serverId: intake.own.nodeId,
      durableEnd: intake.journal.durableEnd,
      journalFindings: (findings) => intake.appendFindings(findings),
      log: (line) => this.#log(line),
    });
    this.#events = new EventHub({
      store: this.#searchable.reader,
      nodes: intake.control.nodes,
      proposals: intake.control.proposals,
      clock,
      committed: () => this.#searchable.committed,
      journalEnd: () => intake.journal.durableEnd.index,
    });
    this.#webhook = new WebhookSender({
      webhooks: intake.control.webhooks,
      itemOf: (row) => TOPICS.findings.itemOf(row, intake.control.proposals),
      store: this.#searchable.reader,
      clock,
      random: Math.random,
      committed: () => this.#searchable.committed,
      log: (line) => this.#log(line),
    });
    this.#searchable.onCommitted(() => {
      this.#events.wake();
      this.#webhook.wake();
    });
    this.#retention = new Retention({
      clock,
      control: intake.control,
      client: () => this.#searchable.client,
      makeRoom: () => intake.room.make(),
      log: (line) => this.#log(line),
    });
  }

  /** One past the last record whose rows are searchable. */
  get committed(): number {
    return this.#searchable.committed;
  }

  async start(): Promise<void> {
    const { dataDir, clock, version, maxLiars = LIARS_DEFAULT } = this.#options;
    const { token, created } = loadAdminToken(this.adminTokenFile);
    this.isNew = created;
    const { app, address } = await serveHttp({
      listen: parseListen(this.#options.listen),
      transport: this.#transport,
      trustedProxies: this.#options.trustedProxies,
      intake: this.#intake,
      clock,
      api: this.#api(token),
    });
    this.#app = app;
    this.url = localUrl(this.#transport.scheme, address);
    const fingerprint = fingerprintOf(this.#transport)?.toString("base64url");
    const serving = JSON.stringify({ url: this.url, fingerprint, pid: process.pid });
    await replaceFile(nodeDisk(), join(dataDir, SERVING_FILE), `${serving}\n`);
    await this.#inviteOwner();
    // What the comparison is to go by belongs in the journal, or nobody could conclude the same again.
    const facts = { role: "server", version, node: process.version, maxLiars };
    this.#intake.tell({ kind: "start", atMs: clock.nowMs(), facts });
    // Agents are served already.
    await Promise.race([this.#startSearchable(), aborted(this.#options.stop)]);
  }

  /** As long as nobody can sign in, each start makes a link by which somebody becomes the first owner. */
  async #inviteOwner(): Promise<void> {
    const { users, links } = this.#intake.control;
    if (users.table.size > 0) return;
    try {
      const { token } = await links.create(undefined, SYSTEM);
      this.signInUrl = signInUrl(this.#baseUrl(), token);
    } catch (error) {
      this.#log(`no sign-in link could be made: ${textOf(error)}`);
    }
  }

  #baseUrl(): string {
    return (this.#options.publicUrl ?? this.url).replace(/\/+$/, "");
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    await nodeDisk().remove(join(this.#options.dataDir, SERVING_FILE));
    await this.#app?.close();
    // What the folds counted is said while the journal still takes it.
    this.#audit.refusals.close();
    await this.#audit.reads.close().catch(() => undefined);
    await this.#retention.close();
    await this.#searchable.close();
    await this.#intake.close(reason);
  }

  async #startSearchable(): Promise<void> {
    await this.#searchable.start();
    const { storeUrl } = this.#options;
    const maxMs = storeUrl === undefined ? USABLE_MS_MAX : REMOTE_USABLE_MS_MAX;
    this.isSearchable = await this.#searchable.usable(maxMs);
    this.#retention.start();
  }

  #api(token: ReturnType<typeof loadAdminToken>["token"]) {
    const { clock, dataDir, version, publicUrl, trustedProxies } = this.#options;
    const transport = this.#transport;
    const publicHost = publicUrl === undefined ? {} : { publicHost: publicHostOf(publicUrl) };
    const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
    const { control } = this.#intake;
    const isSecure = transport.scheme === "https" || publicOrigin?.startsWith("https:") === true;
    const cookie = new SessionCookie(isSecure);
    return {
      authenticate: authenticateBy({
        token,
        trustsProxy: trustedProxies.length > 0,
        control,
        cookie,
      }),
      running: new RunningRequests({
        clock,
        ends: control.accessEnds,
        isAlive: isAliveIn(control),
      }),
      ...(publicOrigin === undefined ? {} : { publicOrigin }),
      names: {
        listenHost: parseListen(this.#options.listen).host,
        ...publicHost,
      },
      parts: {
        ...publicHost,
        control,
        cookie,
        throttle: new SignInThrottle(clock),
        oidc: { flows: new FlowCookie({ isSecure, clock }), fetch: guardedFetch({ clock }) },
        ...(publicUrl === undefined ? {} : { publicBase: this.#baseUrl() }),
        baseUrl: () => this.#baseUrl(),
        store: this.#searchable.reader,
        retention: this.#retention,
        evidence: evidenceSource({
          store: this.#searchable.reader,
          journal: this.#intake.journal,
          nodes: this.#intake.control.nodes,
          serverKey: this.#intake.serverKey,
        }),
        events: this.#events,
        webhook: this.#webhook,
        reads: this.#audit.reads,
        clock,
        dataDir,
        version,
        startedAtMs: clock.nowMs(),
        vitals: () => this.#vitals(),
        makeRoom: () => this.#intake.room.make(),
        ...(transport.scheme === "https" && transport.isSelfIssued
          ? { fingerprint: transport.fingerprint }
          : {}),
      },
      audit: this.#audit,
      onError: (error: unknown) => this.#log(`a request failed: ${textOf(error)}`),
    };
  }

  #vitals(): Vitals {
    const { journal, writer, admission, incidents } = this.#intake;
    const { failure } = writer;
    return {
      journalEnd: journal.durableEnd.index,
      committed: this.#searchable.committed,
      isDiskFull: journal.isFull,
      reservedBytes: this.#intake.room.heldBytes,
      batches: admission.counts,
      incidents: incidents.counts,
      ...(failure === undefined ? {} : { journalFailure: failure.message }),
    };
  }

  /** To the terminal or init system, and into the server's own stream: its operation is evidence too. */
  #log(line: string): void {
    this.#options.log(line);
    const atMs = this.#options.clock.nowMs();
    const body = line.slice(0, 2_000);
    this.#intake.note({ kind: "log", atMs, severity: 13, body, attributes: { source: "server" } });
  }
}

function fingerprintOf(transport: Transport): Buffer | undefined {
  return transport.scheme === "https" ? transport.fingerprint : undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
