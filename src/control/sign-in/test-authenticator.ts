/** For tests: a device with passkeys in software (ES256, no attestation), honest unless told otherwise. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import type {
  AssertionAnswer,
  AssertionOptions,
  RegistrationAnswer,
  RegistrationOptions,
} from "./passkey-checks.ts";

export const PRESENT = 0x01;
export const VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

/** What a device, a page or somebody between them would say in place of the truth. */
export interface Lie {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;
  readonly flags?: number;
  readonly counter?: number;
  readonly userHandle?: string | undefined;
  readonly credentialId?: string;
  /** Signs with a key of its own. */
  readonly key?: KeyObject;
  readonly format?: string;
  readonly certificates?: readonly Buffer[];
}

export class TestAuthenticator {
  readonly credentialId = randomBytes(16).toString("base64url");
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #origin: string;
  counter = 0;
  /** 0: one of several devices that share the key, which do not count. */
  step = 1;
  userHandle: string | undefined;

  /** Of a browser that shows this page. */
  constructor(origin: string) {
    this.#origin = origin;
  }

  register(options: RegistrationOptions, lie: Lie = {}): RegistrationAnswer {
    this.userHandle = options.user.id;
    const clientData = this.#clientData("webauthn.create", options.challenge, lie);
    const rpId = lie.rpId ?? options.rp.id ?? "";
    const authData = Buffer.concat([
      this.#authData(rpId, { ...lie, flags: (lie.flags ?? PRESENT | VERIFIED) | HAS_CREDENTIAL }),
      this.#attested(lie),
    ]);
    const certificates = lie.certificates;
    const statement = certificates === undefined ? new Map() : new Map([["x5c", certificates]]);
    const object = new Map<string, unknown>([
      ["fmt", lie.format ?? "none"],
      ["attStmt", statement],
      ["authData", authData],
    ]);
    const id = lie.credentialId ?? this.credentialId;
    return {
      id,
      rawId: id,
      type: "public-key",
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString("base64url"),
        attestationObject: cbor(object).toString("base64url"),
        transports: ["internal"],
      },
    };
  }

  sign(options: AssertionOptions, lie: Lie = {}): AssertionAnswer {
    this.counter += this.step;
    const clientData = this.#clientData("webauthn.get", options.challenge, lie);
    const authData = this.#authData(lie.rpId ?? options.rpId ?? "", lie);
    const hash = createHash("sha256").update(clientData).digest();
    const key = lie.key ?? this.#keys.privateKey;
    const signature = sign("sha256", Buffer.concat([authData, hash]), key);
    const id = lie.credentialId ?? this.credentialId;
    const userHandle = "userHandle" in lie ? lie.userHandle : this.userHandle;
    return {
      id,
      rawId: id,
      type: "public-key",
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: authData.toString("base64url"),
        signature: signature.toString("base64url"),
        ...(userHandle === undefined ? {} : { userHandle }),
      },
    };
  }

  #clientData(type: string, challenge: string, lie: Lie): Buffer {
    const data = {
      type: lie.type ?? type,
      challenge: lie.challenge ?? challenge,
      origin: lie.origin ?? this.#origin,
      crossOrigin: lie.crossOrigin ?? false,
      topOrigin: lie.topOrigin,
    };
    return Buffer.from(JSON.stringify(data));
  }

  #authData(rpId: string, lie: Lie): Buffer {
    const rest = Buffer.alloc(5);
    rest.writeUInt8(lie.flags ?? PRESENT | VERIFIED);
    rest.writeUInt32BE(lie.counter ?? this.counter, 1);
    return Buffer.concat([createHash("sha256").update(rpId).digest(), rest]);
  }

  #attested({ credentialId = this.credentialId }: Lie): Buffer {
    const id = Buffer.from(credentialId, "base64url");
    const { x = "", y = "" } = this.#keys.publicKey.export({ format: "jwk" });
    const key = new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, "base64url")],
      [-3, Buffer.from(y, "base64url")],
    ]);
    const modelAndSize = Buffer.alloc(18);
    modelAndSize.writeUInt16BE(id.length, 16);
    return Buffer.concat([modelAndSize, id, cbor(key)]);
  }
}

/** As much of it as stands in an attestation. */
function cbor(value: unknown): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, value.length), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  if (value instanceof Map) {
    const items = [...value].flatMap(([key, each]) => [cbor(key), cbor(each)]);
    return Buffer.concat([head(5, value.size), ...items]);
  }
  throw new Error("no value of an attestation");
}

/** Of a text or byte string its bytes, of a list or map its items, of a number the number. */
function head(kind: number, items: number): Buffer {
  if (items < 24) return Buffer.from([kind * 32 + items]);
  if (items < 256) return Buffer.from([kind * 32 + 24, items]);
  const bytes = Buffer.from([kind * 32 + 25, 0, 0]);
  bytes.writeUInt16BE(items, 1);
  return bytes;
}
