/** Somebody who has signed in to a running server, as a browser or program would. */
import assert from "node:assert/strict";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { Secret, TOTP } from "otpauth";
import type { Role } from "../../src/api/roles.ts";
import type { ServerProcess } from "./server-process.ts";

/** An answer to headers that are sent as they are, where `fetch` would not. */
export interface Told<T = Record<string, unknown>> {
  readonly status: number;
  readonly code: string;
  readonly body: T;
  readonly headers: IncomingMessage["headers"];
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
  /** One of this machine's own, to come from. */
  readonly from?: string;
}

export async function tell<T = Record<string, unknown>>(
  url: string,
  [method, path]: readonly [method: string, path: string],
  { headers = {}, body, from }: Sent = {},
): Promise<Told<T>> {
  const { hostname, port } = new URL(url);
  const options = { hostname, port, method, path, headers, agent: false };
  const call = request(from === undefined ? options : { ...options, localAddress: from });
  call.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", reject);
  });
  const isEndless = /event-stream/.test(response.headers["content-type"] ?? "");
  const answer = isEndless ? await beginning(response) : await text(response);
  const isJson = /json/.test(response.headers["content-type"] ?? "");
  const parsed = (isJson && answer !== "" ? JSON.parse(answer) : answer) as T;
  const { code = "" } = isJson ? (parsed as { code?: string }) : {};
  return { status: response.statusCode ?? 0, code, body: parsed, headers: response.headers };
}

/** What comes first; then the caller hangs up. */
async function beginning(response: IncomingMessage): Promise<string> {
  for await (const piece of response) return String(piece);
  return "";
}

export const JSON_TYPE = { "content-type": "application/json" } as const;

export class Person {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
  readonly url: string;
  /** Of the session, as `name=secret`. */
  cookie = "";
  id = "";
  sessionId = "";
  totp: TOTP | undefined;
  recoveryCodes: readonly string[] = [];

  private constructor(url: string, name: string, role: Role) {
    this.url = url;
    this.name = name;
    this.role = role;
    this.password = `a password of ${name}, and long enough`;
  }

  /** Made by the administrator, let in by the link, with a second factor set up. */
  static async join(server: ServerProcess, name: string, role: Role): Promise<Person> {
    const person = await Person.invited(server, name, role);
    await person.setUpTotp();
    return person;
  }

  /** Let in by the link, and no second factor yet. */
  static async invited(server: ServerProcess, name: string, role: Role): Promise<Person> {
    const person = new Person(server.url, name, role);
    const made = await server.call<{ id: string; link: { token: string } }>(
      "POST",
      "/api/v1/users",
      { name, role },
    );
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { password } = person;
    const { token } = made.body.link;
    person.id = made.body.id;
    person.take(
      await tell(server.url, ["POST", "/api/v1/signin/link"], {
        headers: JSON_TYPE,
        body: { token, name, password },
      }),
    );
    return person;
  }

  /** What a browser would send with a request from the server's own page. */
  get headers(): Record<string, string> {
    return { cookie: this.cookie, "sec-fetch-site": "same-origin", ...JSON_TYPE };
  }

  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown) {
    return tell<T>(this.url, [method, path], { headers: this.headers, body });
  }

  signIn(code?: string): Promise<Told> {
    const { name, password } = this;
    const body = { name, password, ...(code === undefined ? {} : { code }) };
    return tell(this.url, ["POST", "/api/v1/signin"], { headers: JSON_TYPE, body });
  }

  async setUpTotp(): Promise<void> {
    const begun = await this.call<{ secret: string }>("POST", "/api/v1/profile/totp", {});
    assert.equal(begun.status, 200, JSON.stringify(begun.body));
    this.totp = new TOTP({ secret: Secret.fromBase32(begun.body.secret) });
    const confirmed = await this.call<{ recovery_codes: string[] }>(
      "POST",
      "/api/v1/profile/totp/confirm",
      { code: this.totp.generate() },
    );
    assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
    this.recoveryCodes = confirmed.body.recovery_codes;
  }

  /** The code of the step so many after this one; 1 counts already, and no test waits half a minute. */
  code(stepsAhead = 0): string {
    assert.ok(this.totp !== undefined);
    return this.totp.generate({ timestamp: Date.now() + stepsAhead * 30_000 });
  }

  async token(body: object = {}): Promise<string> {
    const made = await this.call<{ token: string }>("POST", "/api/v1/tokens", {
      name: "test",
      ...body,
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return made.body.token;
  }

  /** The session of an answer that begins one. */
  take(told: Told): void {
    assert.equal(told.status, 200, JSON.stringify(told.body));
    this.cookie = cookieOf(told);
    this.sessionId = String(told.body["session_id"]);
  }
}

export function cookieOf({ headers }: Pick<Told, "headers">): string {
  const [set = ""] = headers["set-cookie"] ?? [];
  return set.split(";")[0] ?? "";
}
