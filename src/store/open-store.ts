/**
 * The store as the rest of the server sees it: a ClickHouse client, whether the engine is the embedded one beside us or a cluster elsewhere.
 * What differs ends here.
 */
import { Agent, type ClientRequestArgs } from "node:http";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
} from "@clickhouse/client";
import type { Clock } from "../std/clock.ts";
import { Engine, type EngineAddress } from "./engine.ts";
import { StoreError } from "./store-error.ts";

/** An embedded engine that another thread of this server keeps running. */
export interface EngineAccess {
  readonly address: EngineAddress;
  /** Resolves when it serves; rejects after `waitMaxMs`. */
  ready(waitMaxMs: number): Promise<void>;
}

/** Exactly one of `dataDir`, `engine` and `url`. */
export interface StoreOptions {
  readonly clock: Clock;
  /** Folder of the embedded engine, which is started and stopped with the store. */
  readonly dataDir?: string;
  readonly engine?: EngineAccess;
  /** `http(s)://user:password@host:port/database` of a ClickHouse server or cluster. */
  readonly url?: string;
  readonly log?: (line: string) => void;
  /** Embedded only: ends the start while it is under way, and then openStore rejects. */
  readonly gone?: AbortSignal;
  /** How long a request waits for its answer, milliseconds. Default: 5 minutes. */
  readonly requestMaxMs?: number;
  /** Embedded only: memory of all queries together, bytes. Default: 2 GiB. */
  readonly memoryMaxBytes?: number;
  /** Embedded only: how long a user's query may go on past its limit of time. Default: 30 s. */
  readonly overrunMaxMs?: number;
}

export interface Store {
  readonly client: ClickHouseClient;
  /** Another client on the same store, for another default database or other settings. The store closes it. */
  connect(database: string, settings?: ClickHouseSettings): ClickHouseClient;
  /** Where the embedded engine listens and its password, for raw requests; undefined for a remote store. */
  readonly address: EngineAddress | undefined;
  /** The embedded engine that this store started, for other threads to share. */
  readonly engine: EngineAccess | undefined;
  /** The embedded engine's process id; undefined for a remote store and between a crash and the restart. */
  readonly pid: number | undefined;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const requestMaxMsDefault = 5 * 60_000;
/** A request that finds the engine restarting waits this long for it. */
const restartMaxMs = 20_000;
const refusedPauseMs = 20;

type ClientConfig = NonNullable<Parameters<typeof createClient>[0]>;

/** `store_bad_options` unless exactly one place is given; `store_failed` when the embedded engine cannot start. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const places = [options.dataDir, options.engine, options.url];
  if (places.filter((place) => place !== undefined).length !== 1) {
    throw new StoreError("store_bad_options", "a store needs either a data directory or a URL");
  }
  // Its log would print statements and parameters, which are other people's; what fails is thrown as well.
  const common = {
    request_timeout: options.requestMaxMs ?? requestMaxMsDefault,
    log: { level: ClickHouseLogLevel.OFF },
  };
  if (options.url !== undefined)
    return new OpenStore(
      { ...common, url: checkedUrl(options.url), keep_alive: { enabled: true } },
      undefined,
    );
  if (options.engine !== undefined) {
    return new OpenStore(embedded(common, options.engine, options.clock), undefined);
  }
  const engine = await Engine.start({ ...options, dataDir: options.dataDir ?? "" }, options.gone);
  return new OpenStore(embedded(common, engine, options.clock), engine);
}

function embedded(common: ClientConfig, engine: EngineAccess, clock: Clock): ClientConfig {
  return { ...common, ...engine.address, http_agent: patientAgent(engine, clock) };
}

class OpenStore implements Store {
  readonly client: ClickHouseClient;
  readonly #config: ClientConfig;
  readonly #engine: Engine | undefined;
  readonly #clients: ClickHouseClient[] = [];

  constructor(config: ClientConfig, engine: Engine | undefined) {
    this.#config = config;
    this.#engine = engine;
    this.client = createClient(config);
    this.#clients.push(this.client);
  }

  get address(): EngineAddress | undefined {
    return this.#engine?.address;
  }

  get engine(): EngineAccess | undefined {
    return this.#engine;
  }

  get pid(): number | undefined {
    return this.#engine?.pid;
  }

  connect(database: string, settings: ClickHouseSettings = {}): ClickHouseClient {
    const client = createClient({ ...this.#config, database, clickhouse_settings: settings });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.#engine?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new StoreError(
      "store_bad_options",
      "the store's URL must begin with http:// or https://",
    );
  }
  return text;
}

/**
 * Opens connections only while the engine's process is known to serve. Requests that come during a restart wait instead of failing; and a program
 * that takes the port while it is free is not shown the password.
 */
function patientAgent(engine: EngineAccess, clock: Clock): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: "lifo" });
  agent.createConnection = (args: ClientRequestArgs, done?: Connected) => {
    void openFor(engine, clock, Number(args.port), done);
    return undefined;
  };
  return agent;
}

type Connected = (error: Error | null, stream: Duplex) => void;

async function openFor(
  engine: EngineAccess,
  clock: Clock,
  port: number,
  done?: Connected,
): Promise<void> {
  try {
    done?.(null, await openSocket(engine, clock, port));
  } catch (error) {
    done?.(error as Error, undefined as unknown as Duplex);
  }
}

/** Tries again when refused: the child may be dead before we are told. */
async function openSocket(engine: EngineAccess, clock: Clock, port: number): Promise<Socket> {
  const deadlineMs = clock.monotonicMs() + restartMaxMs;
  for (;;) {
    await engine.ready(Math.max(0, deadlineMs - clock.monotonicMs()));
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, keepAlive: true });
    try {
      await once(socket, "connect");
      return socket;
    } catch (cause) {
      if (clock.monotonicMs() >= deadlineMs)
        throw new StoreError("store_unavailable", "the store's engine refuses connections", {
          cause,
        });
      await new Promise<void>((resolve) => clock.after(refusedPauseMs, resolve));
    }
  }
}
