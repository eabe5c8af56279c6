/**
 * What a browser is asked of a passkey, and whether its answer holds: by the library, and stricter in
 * what it leaves open. No certificate of a device's maker is looked at: to check one, the library would
 * ask addresses that stand in it.
 */
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import {
  cose,
  decodeAttestationObject,
  decodeClientDataJSON,
  isoBase64URL,
} from "@simplewebauthn/server/helpers";
import { ControlError } from "../control-error.ts";
import { CHALLENGE_MS_MAX } from "../limits.ts";
import type { User } from "../user-table.ts";
import type { Passkey } from "./passkey-table.ts";

/** The page that asks: passkeys count for a name, and are shown nowhere else. */
export interface PasskeyPlace {
  /** `https://logs.example.org` */
  readonly origin: string;
  /** `logs.example.org` */
  readonly rpId: string;
}

export type RegistrationOptions = PublicKeyCredentialCreationOptionsJSON;
export type RegistrationAnswer = RegistrationResponseJSON;
export type AssertionOptions = PublicKeyCredentialRequestOptionsJSON;
export type AssertionAnswer = AuthenticationResponseJSON;

const ALGORITHMS = [cose.COSEALG.EdDSA, cose.COSEALG.ES256, cose.COSEALG.RS256];

export function registrationOptions(
  { id, name }: Pick<User, "id" | "name">,
  { rpId }: PasskeyPlace,
  { challenge, known }: { readonly challenge: string; readonly known: readonly Passkey[] },
): Promise<RegistrationOptions> {
  return generateRegistrationOptions({
    rpName: "Tallystick",
    rpID: rpId,
    userID: new Uint8Array(Buffer.from(id, "hex")),
    userName: name,
    challenge: bytesOf(challenge),
    timeout: CHALLENGE_MS_MAX,
    attestationType: "none",
    excludeCredentials: known.map(({ credentialId, transports }) => ({
      id: credentialId,
      transports: [...transports],
    })),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** Of whichever passkey the person chooses: no name is asked for, and none told. */
export function assertionOptions(
  { rpId }: PasskeyPlace,
  challenge: string,
): Promise<AssertionOptions> {
  return generateAuthenticationOptions({
    rpID: rpId,
    challenge: bytesOf(challenge),
    timeout: CHALLENGE_MS_MAX,
    userVerification: "required",
  });
}

/** The challenge that an answer is about, whoever made it. Throws `bad_passkey`. */
export function challengeOf(answer: RegistrationAnswer | AssertionAnswer): string {
  return checked(() => {
    const { challenge, crossOrigin } = decodeClientDataJSON(answer.response.clientDataJSON);
    // The library lets frames within other pages through, where the browser does not name the page.
    if (crossOrigin === true) throw new Error("it comes from a frame within another page");
    return challenge;
  });
}

export type NewPasskey = Pick<
  Passkey,
  "credentialId" | "publicKey" | "counter" | "rpId" | "transports" | "isBackedUp"
>;

/** Throws `bad_passkey`. */
export async function checkRegistration(
  answer: RegistrationAnswer,
  challenge: string,
  { origin, rpId }: PasskeyPlace,
): Promise<NewPasskey> {
  const { registrationInfo } = await checkedAsync(async () => {
    checkAttestation(answer);
    return verifyRegistrationResponse({
      response: answer,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
  });
  if (registrationInfo === undefined) throw badPasskey("its signature is wrong");
  const { credential, credentialBackedUp } = registrationInfo;
  return {
    credentialId: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString("base64url"),
    counter: credential.counter,
    rpId,
    transports: credential.transports ?? [],
    isBackedUp: credentialBackedUp,
  };
}

/** The counter that the device told. Whether it may be that is for whoever knows the last one. Throws `bad_passkey`. */
export async function checkAssertion(
  answer: AssertionAnswer,
  passkey: Passkey,
  { challenge, place }: { readonly challenge: string; readonly place: PasskeyPlace },
): Promise<number> {
  const { userHandle } = answer.response;
  if (userHandle === undefined || idOf(userHandle) !== passkey.userId) {
    throw badPasskey("it is not that user's");
  }
  const { verified, authenticationInfo } = await checkedAsync(() =>
    verifyAuthenticationResponse({
      response: answer,
      expectedChallenge: challenge,
      expectedOrigin: place.origin,
      expectedRPID: place.rpId,
      credential: {
        id: passkey.credentialId,
        publicKey: bytesOf(passkey.publicKey),
        counter: 0,
      },
      requireUserVerification: true,
    }),
  );
  if (!verified) throw badPasskey("its signature is wrong");
  return authenticationInfo.newCounter;
}

/** None was asked for: a device signs by itself at most, without a certificate. */
function checkAttestation({ response }: RegistrationAnswer): void {
  const object = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject));
  const format = object.get("fmt");
  const isSelf = format === "packed" && object.get("attStmt").get("x5c") === undefined;
  if (format !== "none" && !isSelf) throw new Error("it has an attestation, none was asked for");
}

function idOf(userHandle: string): string {
  return Buffer.from(userHandle, "base64url").toString("hex");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw badPasskey(reasonOf(error), error);
  }
}

async function checkedAsync<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    throw badPasskey(reasonOf(error), error);
  }
}

/** The library's texts repeat what was sent, so that is cut off. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : "it cannot be read";
  return text.split(/["":]/)[0]?.slice(0, 100).trim() ?? "";
}

export function badPasskey(why: string, cause?: unknown): ControlError {
  return new ControlError("bad_passkey", `the answer does not hold: ${why}`, { cause });
}
