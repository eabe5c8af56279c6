/**
 * Who this node is: its key, what the server answered at enrolment, and the machine that it was on.
 * The key is made once and never leaves the machine; whoever has it can write as this node.
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keyIdOf, nodeIdOf, privateKeyFromSeed, rawPublicKey } from "../format/identity.ts";
import { makeDirectory } from "../std/make-directory.ts";
import { AgentError } from "./agent-error.ts";
import { isMissing, readJson, replaceFile, syncDirectory } from "./json-file.ts";
import type { Machine } from "./machine.ts";

export interface Identity {
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly nodeId: Buffer;
  readonly keyId: Buffer;
}

/** What is known of the server since enrolment; bytes are base64url. */
export interface Enrolment {
  readonly node: string;
  readonly name: string;
  readonly server: string;
  readonly serverKey: string;
  /** SHA-256 of the server's certificate, when the enrolment key carried one. */
  readonly fingerprint?: string;
}

/** Where this key was last seen to run: tells a cloned disk from a restored snapshot. */
export type RememberedMachine = Pick<Machine, "machineId" | "bootId">;

/** The identity of this directory, undefined before `createIdentity`. Throws `bad_state`. */
export function loadIdentity(directory: string): Identity | undefined {
  let seed: Buffer;
  try {
    seed = Buffer.from(readFileSync(join(directory, "key"), "utf8").trim(), "base64url");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (seed.length !== 32) {
    throw new AgentError(
      "bad_state",
      `${join(directory, "key")} is not a key of 32 bytes; restore it, or remove the directory and enrol again`,
    );
  }
  return identityOf(privateKeyFromSeed(seed));
}

/** Makes the key, durably, before anybody hears of it. */
export function createIdentity(directory: string): Identity {
  makeDirectory(directory);
  chmodSync(directory, 0o700);
  const { privateKey } = generateKeyPairSync("ed25519");
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  replaceFile(join(directory, "key"), `${der.subarray(der.length - 32).toString("base64url")}\n`);
  syncDirectory(join(directory, ".."));
  return identityOf(privateKey);
}

export function loadEnrolment(directory: string): Enrolment | undefined {
  const value = readJson(join(directory, "enrolment.json"));
  if (value === undefined) return undefined;
  if (!isEnrolment(value)) {
    throw new AgentError(
      "bad_state",
      `${join(directory, "enrolment.json")} is not an enrolment; restore it, or remove it and start with --key`,
    );
  }
  return value;
}

export function saveEnrolment(directory: string, enrolment: Enrolment): void {
  replaceFile(join(directory, "enrolment.json"), `${JSON.stringify(enrolment, null, 2)}\n`);
}

export function loadRememberedMachine(directory: string): RememberedMachine | undefined {
  const value = readJson(join(directory, "machine.json"));
  return isRecord(value) &&
    typeof value["machineId"] === "string" &&
    typeof value["bootId"] === "string"
    ? { machineId: value["machineId"], bootId: value["bootId"] }
    : undefined;
}

export function rememberMachine(directory: string, machine: RememberedMachine): void {
  const { machineId, bootId } = machine;
  replaceFile(join(directory, "machine.json"), `${JSON.stringify({ machineId, bootId })}\n`);
}

function identityOf(key: KeyObject): Identity {
  const publicKey = rawPublicKey(key);
  return { key, publicKey, nodeId: nodeIdOf(publicKey), keyId: keyIdOf(publicKey) };
}

function isEnrolment(value: unknown): value is Enrolment {
  return (
    isRecord(value) &&
    ["node", "name", "server", "serverKey"].every((field) => typeof value[field] === "string")
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
