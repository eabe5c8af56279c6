/** A node that enrolled over HTTP and sends batches, as an agent would. */
import assert from "node:assert/strict";
import { signEnrolment, parseEnrolmentKey } from "../../src/format/enrolment.ts";
import type { Entry, OpenEntry, Tuple } from "../../src/format/entry.ts";
import { SimNode } from "../simulate/sim-node.ts";
import type { ServerProcess } from "./server-process.ts";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The body of an enrolment request by `node` with the key `text`. */
export function enrolmentBody(node: SimNode, text: string, name: string): object {
  const { id, secret } = parseEnrolmentKey(text);
  const signature = signEnrolment({ publicKey: node.publicKey, secret, name }, node.key);
  return {
    keyId: id.toString("base64url"),
    secret: secret.toString("base64url"),
    publicKey: node.publicKey.toString("base64url"),
    signature: signature.toString("base64url"),
    name,
  };
}

export async function enrol(
  server: ServerProcess,
  node: SimNode,
  key: string,
  name: string,
): Promise<Answer> {
  return post(server, "/ingest/v1/enrol", JSON.stringify(enrolmentBody(node, key, name)));
}

export async function newKey(server: ServerProcess, more: object = {}): Promise<string> {
  const { status, body } = await server.call<{ key: string }>("POST", "/api/v1/keys", more);
  assert.equal(status, 201);
  return body.key;
}

export async function joined(server: ServerProcess, name: string): Promise<SimNode> {
  const node = new SimNode();
  node.atMs = Date.now();
  const answer = await enrol(server, node, await newKey(server), name);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return node;
}

export async function send(
  server: ServerProcess,
  node: SimNode,
  entries: readonly Entry[],
): Promise<Answer> {
  node.atMs = Date.now();
  const { frame } = node.next({ entries });
  return post(server, "/ingest/v1/batches", frame, "application/vnd.tallystick.batch");
}

async function post(
  server: ServerProcess,
  path: string,
  body: string | Buffer,
  type = "application/json",
): Promise<Answer> {
  const response = await fetch(new URL(path, server.url), {
    method: "POST",
    headers: { "content-type": type },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

export function addresses(atMs: number, address: string): Entry {
  return { kind: "addresses", atMs, networks: { default: [address] } };
}

export function open(atMs: number, role: "initiator" | "responder", tuple: Tuple): OpenEntry {
  return { kind: "open", atMs, role, tuple, pickup: false };
}

export function tcp(initiatorIp: string, initiatorPort: number, responderIp: string): Tuple {
  return { protocol: 6, initiatorIp, initiatorPort, responderIp, responderPort: 443 };
}
