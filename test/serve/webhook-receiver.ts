/** A receiver of webhooks, over real HTTP: it checks signatures by the specification, and behaves as told. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  readonly path: string;
  readonly id: string;
  readonly timestampS: number;
  /** By the secret that was last given. */
  readonly isSigned: boolean;
  readonly message: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
}

/** What it does with the next message; `takes` is for good. */
export type Manner = "takes" | "fails" | "hangs" | "redirects" | "babbles" | "breaks off";

export class WebhookReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  manner: Manner = "takes";
  secret = "";
  readonly #server = createServer((request, response) => void this.#take(request, response));
  #waiting: (() => void)[] = [];

  static async listen(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/hook`;
  }

  /** Resolves when so many have come in all. */
  async until(count: number): Promise<readonly Received[]> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const header = (name: string) => String(request.headers[name]);
    const [id, timestamp] = [header("webhook-id"), header("webhook-timestamp")];
    const key = Buffer.from(this.secret.replace("whsec_", ""), "base64");
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
    const [version, given = ""] = header("webhook-signature").split(",");
    const found = Buffer.from(given, "base64");
    const fits = found.length === expected.length && timingSafeEqual(found, expected);
    this.received.push({
      path: request.url ?? "",
      id,
      timestampS: Number(timestamp),
      isSigned: version === "v1" && fits,
      message: JSON.parse(body) as Received["message"],
    });
    this.#answer(response);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answer(response: ServerResponse): void {
    switch (this.manner) {
      case "hangs":
        return;
      case "breaks off":
        response.destroy();
        return;
      case "fails":
        response.writeHead(500).end("secret words of the receiver");
        return;
      case "redirects":
        response.writeHead(307, { location: "/elsewhere" }).end();
        return;
      case "babbles":
        response.on("error", () => undefined);
        response.writeHead(200).write("x".repeat(1_000_000));
        return;
      default:
        response.writeHead(204).end();
    }
  }
}
