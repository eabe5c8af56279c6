/** One HTTP request on a connection of its own: a pool would hand out connections to servers that died. */
import { request as httpRequest } from "node:http";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Longer is a hang. Above every bound of the server's own. */
export const ANSWER_MS_MAX = 40_000;

/** Rejects when there is no whole answer. */
export function ask({ method, url, headers = {}, body }: Asked): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const bytes = Buffer.from(body ?? "");
  const all = { ...headers, "content-length": String(bytes.length) };
  const sent = httpRequest(url, { method, headers: all, agent: false });
  sent.setTimeout(ANSWER_MS_MAX, () => sent.destroy(new Error(`no answer in ${ANSWER_MS_MAX} ms`)));
  const fail = (cause: Error) => reject(new Error(`${method} ${url}: ${cause.message}`, { cause }));
  sent.on("error", fail);
  sent.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", fail);
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    });
  });
  sent.end(bytes);
  return promise;
}
