/** Enrolment keys as text, the proof that a joining node signs, and its question for the head. */
import { formatEnrolmentKey, signEnrolment, signHeadRequest } from "../../src/format/enrolment.ts";
import { NODE_SEED, signer } from "./identities.ts";

const id = Buffer.from("000102030405", "hex");
const secret = Buffer.alloc(24, 0xfb);
const fingerprint = Buffer.alloc(32, 0x0c);
const text = formatEnrolmentKey({ id, secret, fingerprint });
const short = formatEnrolmentKey({ id, secret });

const REFUSED = [
  "",
  "tsk1",
  short.replace("tsk1", "tsk2"),
  short.slice(0, -1),
  `${short}A`,
  `${short}.`,
  `${short}=`,
  short.replaceAll("-", "+"),
  text.slice(0, -1),
  `${text.slice(0, -1)}x`,
  `${text}.more`,
];

export function enrolmentVectors(): object {
  return { keys: keys(), refusedKeys: REFUSED, proofs: proofs(), headRequests: headRequests() };
}

function keys(): object[] {
  const parts = { id: id.toString("hex"), secret: secret.toString("hex") };
  return [
    { text: short, ...parts },
    { text, ...parts, fingerprint: fingerprint.toString("hex") },
  ];
}

function proofs(): object[] {
  const { key, publicKey } = signer(NODE_SEED);
  return ["web-1", "A", "n".repeat(63)].map((name) => ({
    seed: NODE_SEED.toString("hex"),
    publicKey: publicKey.toString("hex"),
    secret: secret.toString("hex"),
    name,
    signature: signEnrolment({ publicKey, secret, name }, key).toString("hex"),
  }));
}

function headRequests(): object[] {
  const { key, nodeId } = signer(NODE_SEED);
  const nonce = Buffer.from("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "hex");
  return [
    {
      seed: NODE_SEED.toString("hex"),
      nodeId: nodeId.toString("hex"),
      nonce: nonce.toString("hex"),
      signature: signHeadRequest({ nodeId, nonce }, key).toString("hex"),
    },
  ];
}
