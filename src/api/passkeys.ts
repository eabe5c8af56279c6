/** Passkeys: what browsers are asked, and answer, is WebAuthn's own JSON. */
import { type Static, Type } from "typebox";
import { Profile, RecoveryCodes, Text } from "./accounts.ts";
import { TOKEN_NAME_CHARS_MAX } from "./limits.ts";
import type { RouteTable } from "./route.ts";
import { exact, Time } from "./schema.ts";

/** A device's longest answer is about 2 KiB. */
const Bytes = Type.String({ maxLength: 16_384, pattern: "^[A-Za-z0-9_-]+$" });

const CredentialId = Type.String({ maxLength: 1_400, pattern: "^[A-Za-z0-9_-]+$" });

const Name = Type.String({ minLength: 1, maxLength: TOKEN_NAME_CHARS_MAX });

/** More may stand in it: browsers add to it. */
const Common = {
  id: CredentialId,
  rawId: CredentialId,
  type: Type.Literal("public-key"),
} as const;

export const RegistrationAnswer = Type.Object({
  ...Common,
  response: Type.Object({
    clientDataJSON: Bytes,
    attestationObject: Bytes,
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 16 })),
  }),
});

export const AssertionAnswer = Type.Object({
  ...Common,
  response: Type.Object({
    clientDataJSON: Bytes,
    authenticatorData: Bytes,
    signature: Bytes,
    userHandle: Type.Optional(CredentialId),
  }),
});

export const Options = Type.Object(
  { challenge: Type.String() },
  {
    additionalProperties: true,
    description: "`publicKey` of navigator.credentials, as `parse…OptionsFromJSON` reads it",
  },
);

export const Proof = Type.Object(
  { password: Type.Optional(Text) },
  { ...exact, description: "the password, where the session began over five minutes ago" },
);

export const NewPasskey = Type.Object({ name: Name, answer: RegistrationAnswer }, exact);

export const PasskeySignIn = Type.Object({ answer: AssertionAnswer }, exact);

export const Nothing = Type.Object({}, exact);

export const PasskeyName = Type.Object({ name: Name }, exact);

export const Passkey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  for: Type.String({ description: "the name of the server under which it counts" }),
  backed_up: Type.Boolean({ description: "its maker copies it to the user's other devices" }),
  created_at: Time,
  used_at: Type.Union([Time, Type.Null()]),
});
export type Passkey = Static<typeof Passkey>;

export const RegisteredPasskey = Type.Interface([Passkey, RecoveryCodes], {});

const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

export const PASSKEY_ROUTES = {
  "POST /profile/passkeys": {
    summary: "What a browser is to ask a device for, to be confirmed by its answer",
    body: Proof,
    answer: Options,
  },
  "POST /profile/passkeys/confirm": {
    summary: "Registers the device; as the first second factor it ends the user's other sessions",
    body: NewPasskey,
    status: 201,
    answer: RegisteredPasskey,
  },
  "GET /profile/passkeys": {
    summary: "One's own passkeys, oldest first",
    answer: Type.Object({ items: Type.Array(Passkey) }),
  },
  "PATCH /profile/passkeys/{id}": {
    summary: "Gives a passkey another name",
    params: Id,
    body: PasskeyName,
    answer: Passkey,
  },
  "POST /profile/passkeys/{id}/remove": {
    summary: "Lets nobody in by this passkey any more",
    params: Id,
    body: Proof,
    answer: Passkey,
  },
  "POST /signin/passkey": {
    summary: "What a browser is to ask whichever device the person chooses",
    body: Nothing,
    answer: Options,
  },
  "POST /signin/passkey/confirm": {
    summary: "Begins a session by the device's answer: it counts as both factors",
    body: PasskeySignIn,
    answer: Profile,
  },
} as const satisfies RouteTable;
