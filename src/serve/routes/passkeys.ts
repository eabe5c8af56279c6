/** `/api/v1/profile/passkeys` and `/signin/passkey`: devices that vouch for people, as both factors. */
import { type Static, Type } from "typebox";
import type { Passkey as StoredPasskey } from "../../control/sign-in/passkey-table.ts";
import { Profile } from "../../api/accounts.ts";
import { passkeyPlace } from "../access/page-base.ts";
import { attempts, beforeSecondFactor, changes, unaudited } from "../access/route-config.ts";
import { networkOf } from "../access/signin-throttle.ts";
import type { Api, ApiParts } from "../api.ts";
import {
  NewPasskey,
  Nothing,
  Options,
  Passkey,
  PasskeyName,
  PasskeySignIn,
  Proof,
  RegisteredPasskey,
} from "../../api/passkeys.ts";
import { ownOf } from "./own.ts";
import { attemptOf } from "./profile.ts";
import { beginSession, signInPlace } from "./sign-in.ts";

const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

export function passkeyRoutes(app: Api, parts: ApiParts): void {
  registerRoutes(app, parts);
  keepRoutes(app, parts);
  signInByPasskeyRoutes(app, parts);
}

function registerRoutes(app: Api, parts: ApiParts): void {
  const { throttle, control, publicBase } = parts;

  app.post(
    "/profile/passkeys",
    {
      config: beforeSecondFactor(attempts("profile.write", "passkey.create")),
      schema: {
        summary: "What a browser is to ask a device for, to be confirmed by its answer",
        body: Proof,
        response: { 200: Options },
      },
    },
    async ({ principal, body, protocol, headers }) => {
      const place = passkeyPlace({ protocol, headers }, publicBase);
      const attempt = attemptOf(principal);
      if (body.password !== undefined) throttle.begin(attempt);
      const own = ownOf({ principal });
      const options = await control.ownPasskeys.begin(own, place, body.password);
      if (body.password !== undefined) throttle.succeeded(attempt);
      return options;
    },
  );

  app.post(
    "/profile/passkeys/confirm",
    {
      config: beforeSecondFactor(changes("profile.write", "passkey.create")),
      schema: {
        summary:
          "Registers the device; as the first second factor it ends the user's other sessions",
        body: NewPasskey,
        response: { 201: RegisteredPasskey },
      },
    },
    async ({ principal, body }, reply) => {
      const { passkey, recoveryCodes } = await control.ownPasskeys.confirm(
        ownOf({ principal }),
        { ...body.answer, clientExtensionResults: {} },
        body.name,
      );
      reply.code(201);
      return { ...described(passkey), recovery_codes: [...recoveryCodes] };
    },
  );
}

function keepRoutes(app: Api, { control, throttle }: ApiParts): void {
  app.get(
    "/profile/passkeys",
    {
      config: unaudited("profile.read"),
      schema: {
        summary: "One's own passkeys, oldest first",
        response: { 200: Type.Object({ items: Type.Array(Passkey) }) },
      },
    },
    (request) => ({ items: control.ownPasskeys.table.list(ownOf(request).userId).map(described) }),
  );

  app.patch(
    "/profile/passkeys/:id",
    {
      config: changes("profile.write", "passkey.update"),
      schema: {
        summary: "Gives a passkey another name",
        params: Id,
        body: PasskeyName,
        response: { 200: Passkey },
      },
    },
    async ({ principal, params, body }) =>
      described(await control.ownPasskeys.rename(ownOf({ principal }), params.id, body.name)),
  );

  app.post(
    "/profile/passkeys/:id/remove",
    {
      config: changes("profile.write", "passkey.delete"),
      schema: {
        summary: "Lets nobody in by this passkey any more",
        params: Id,
        body: Proof,
        response: { 200: Passkey },
      },
    },
    async ({ principal, params, body }) => {
      const attempt = attemptOf(principal);
      if (body.password !== undefined) throttle.begin(attempt);
      const own = ownOf({ principal });
      const passkey = await control.ownPasskeys.remove(own, params.id, body.password);
      if (body.password !== undefined) throttle.succeeded(attempt);
      return described(passkey);
    },
  );
}

function signInByPasskeyRoutes(app: Api, parts: ApiParts): void {
  const { control, throttle, publicBase } = parts;

  app.post(
    "/signin/passkey",
    {
      config: { access: "sign-in", audit: "none" },
      schema: {
        summary: "What a browser is to ask whichever device the person chooses",
        body: Nothing,
        response: { 200: Options },
      },
    },
    (request) => {
      const from = networkOf(signInPlace(request).address);
      return control.passkeySignIn.begin(passkeyPlace(request, publicBase), from);
    },
  );

  app.post(
    "/signin/passkey/confirm",
    {
      config: changes("sign-in", "session.create"),
      schema: {
        summary: "Begins a session by the device's answer: it counts as both factors",
        body: PasskeySignIn,
        response: { 200: Profile },
      },
    },
    async (request, reply) => {
      const place = signInPlace(request);
      const attempt = { address: place.address };
      throttle.begin(attempt);
      const answer = { ...request.body.answer, clientExtensionResults: {} };
      const signedIn = await control.passkeySignIn.confirm(answer, place);
      throttle.succeeded(attempt);
      return beginSession(parts, reply, signedIn);
    },
  );
}

function described(passkey: StoredPasskey): Static<typeof Passkey> {
  const { id, name, rpId, isBackedUp, createdAtMs, usedAtMs } = passkey;
  return {
    id,
    name,
    for: rpId,
    backed_up: isBackedUp,
    created_at: new Date(createdAtMs).toISOString(),
    used_at: usedAtMs === undefined ? null : new Date(usedAtMs).toISOString(),
  };
}
