/**
 * Joining, once: the key is made and kept before the server hears of it, so an enrolment whose
 * answer was lost is simply asked for again and gives the same node.
 */
import { signEnrolment, type EnrolmentKey } from "../../format/enrolment.ts";
import { PUBLIC_KEY_BYTES } from "../../format/identity.ts";
import { AgentError } from "../agent-error.ts";
import type { Enrolment, Identity } from "../identity.ts";
import type { Uplink } from "./uplink.ts";

export interface EnrolRequest {
  readonly uplink: Pick<Uplink, "post">;
  readonly identity: Identity;
  readonly key: EnrolmentKey;
  readonly name: string;
  readonly server: string;
}

/** Throws `enrolment_refused` for a no that stays no, `unreachable` for one that may pass. */
export async function enrol(request: EnrolRequest): Promise<Enrolment> {
  const { uplink, identity, key, name, server } = request;
  const { publicKey } = identity;
  const proof = { publicKey, secret: key.secret, name };
  const answer = await uplink.post("/ingest/v1/enrol", {
    keyId: key.id.toString("base64url"),
    secret: key.secret.toString("base64url"),
    publicKey: publicKey.toString("base64url"),
    name,
    signature: signEnrolment(proof, identity.key).toString("base64url"),
  });
  if (answer.outcome === "later") {
    throw new AgentError("unreachable", `cannot enrol at ${server}, ${answer.reason}`);
  }
  if (answer.outcome === "refused") {
    const { code, detail } = answer;
    throw new AgentError(
      "enrolment_refused",
      `the server refuses to enrol this node, ${code}, ${detail}`,
    );
  }
  return {
    ...checked(answer.body, identity, server),
    server,
    ...(key.fingerprint === undefined
      ? {}
      : { fingerprint: key.fingerprint.toString("base64url") }),
  };
}

function checked(
  body: Readonly<Record<string, unknown>>,
  identity: Identity,
  server: string,
): Pick<Enrolment, "node" | "name" | "serverKey"> {
  const { node, name, serverKey } = body;
  const isKey =
    typeof serverKey === "string" &&
    Buffer.from(serverKey, "base64url").length === PUBLIC_KEY_BYTES;
  if (node !== identity.nodeId.toString("hex") || typeof name !== "string" || !isKey) {
    throw new AgentError(
      "bad_answer",
      `${server} did not answer like a Tallystick server, check --server`,
    );
  }
  return { node, name, serverKey };
}
