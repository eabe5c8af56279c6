/** The listening HTTP server with all its routes: agents', people's, machines'. */
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { ingestRoutes } from "../ingest/http.ts";
import { ingestServerOptions } from "../ingest/server-options.ts";
import type { Clock } from "../std/clock.ts";
import { type ApiOptions, apiRoutes, prepareApp } from "./app.ts";
import { enrolInto } from "./enrolment.ts";
import type { Intake } from "./intake.ts";
import type { ListenAddress } from "./listen-address.ts";
import { sendProblem } from "./problem.ts";
import { ServeError } from "./serve-error.ts";
import type { Transport } from "./tls/transport.ts";

export interface HttpServerOptions {
  readonly listen: ListenAddress;
  readonly transport: Transport;
  /** Addresses and CIDRs of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly intake: Intake;
  readonly api: ApiOptions;
  readonly clock: Clock;
}

/** Resolves when it listens, with the address. Throws `listen_failed`, `bad_proxy`. */
export async function serveHttp(
  options: HttpServerOptions,
): Promise<{ readonly app: FastifyInstance; readonly address: ListenAddress }> {
  const { listen, intake, api, clock } = options;
  const app = makeApp(options);
  prepareApp(app, api.onError);
  await app.register(apiRoutes, api);
  await app.register(ingestRoutes, {
    admission: intake.admission,
    writer: intake.writer,
    lookup: intake.lookup,
    serverKey: intake.serverKey,
    enrol: enrolInto(intake.control.nodes),
    clock,
    onError: api.onError,
  });
  try {
    await app.listen({ host: listen.host, port: listen.port });
  } catch (cause) {
    await app.close();
    const where = `${listen.host}:${listen.port}`;
    throw new ServeError("listen_failed", `cannot listen, ${where}, choose another --listen`, {
      cause,
    });
  }
  const bound = app.server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : listen.port;
  return { app, address: { host: listen.host, port } };
}

/** What Fastify would answer in its own form, before any route is found: a URL that is none. */
function refuseOddUrl(error: Error, _request: unknown, reply: FastifyReply): void {
  sendProblem(reply, { code: "bad_request", detail: error.message.slice(0, 300) });
}

function makeApp({ transport, trustedProxies }: HttpServerOptions): FastifyInstance {
  const { http, ...more } = ingestServerOptions;
  const common = { ...more, frameworkErrors: refuseOddUrl };
  const trustProxy = trustedProxies.length === 0 ? false : [...trustedProxies];
  try {
    if (transport.scheme === "http") return fastify({ ...common, http, trustProxy });
    const { cert, key } = transport;
    const https = { ...http, cert, key };
    // The same routes over another socket: the types of Fastify keep the two apart, we need not.
    const app: unknown = fastify({ ...common, https, trustProxy });
    return app as FastifyInstance;
  } catch (cause) {
    throw new ServeError(
      "bad_proxy",
      `--trust-proxy is no address, ${trustedProxies.join(", ")}, write 10.0.0.0/8`,
      { cause },
    );
  }
}
