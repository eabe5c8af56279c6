/** A real OpenID provider (oidc-provider) on loopback, where whoever comes is `person` and agrees. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ClientMetadata, type JWK, Provider } from "oidc-provider";

/** Where the server has its part of it. */
export const SETTINGS = "/api/v1/signin/oidc/settings";
export const BEGIN = "/api/v1/signin/oidc";
export const CALLBACK = "/api/v1/signin/oidc/callback";

export interface Somebody {
  readonly sub: string;
  readonly preferred_username?: string;
  readonly groups?: readonly string[];
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

export class OpenIdProvider implements AsyncDisposable {
  readonly issuer: string;
  readonly clientId = "tallystick";
  readonly clientSecret = "a secret that both sides know / and + need escaping";
  /** Whoever signs in next. */
  person: Somebody = { sub: "nobody" };
  /** Answers in place of the provider, where it answers true. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** `METHOD /path` of what was asked. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #redirectUri: string;
  #listener: Listener;
  #key = newKey();
  readonly #people = new Map<string, Somebody>();

  /** For a client that comes back to that address. */
  static async start(redirectUri: string): Promise<OpenIdProvider> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OpenIdProvider(server, redirectUri);
  }

  private constructor(server: Server, redirectUri: string) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.#redirectUri = redirectUri;
    this.issuer = `http://127.0.0.1:${port}`;
    this.#listener = this.#made();
    server.on("request", (request, response) => {
      this.asked.push(`${request.method} ${request.url?.split("?")[0]}`);
      if (this.instead?.(request, response) === true) return;
      this.#listener(request, response);
    });
  }

  /** Signs with another key from now on. */
  rotateKeys(): void {
    this.#key = newKey();
    this.#listener = this.#made();
  }

  /** A token that the provider's own key signs, whatever it says. */
  token(claims: object, { privateKey }: Pick<Key, "privateKey"> = this.#key): string {
    const signed = `${base64Json({ alg: "RS256", kid: this.#key.jwk.kid })}.${base64Json(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  }

  /** The same, by a key that only names itself the provider's. */
  foreignToken(claims: object): string {
    return this.token(claims, newKey());
  }

  /** What the owner sends to have it used. */
  settings(more: object = {}): object {
    return {
      issuer: this.issuer,
      client_id: this.clientId,
      client_secret: this.clientSecret,
      roles: [
        { group: "staff", role: "viewer" },
        { group: "operations", role: "operator" },
        { group: "heads", role: "owner" },
      ],
      label: "The company",
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #made(): Listener {
    const provider = new Provider(this.issuer, {
      clients: [this.#client(this.clientId), this.#client("another-client")],
      jwks: { keys: [this.#key.jwk] },
      cookies: { keys: [randomBytes(16).toString("hex")] },
      claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
      scopes: ["openid", "profile", "groups"],
      // Claims stand in the ID token itself, as most providers for companies do it.
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, { uid }) => `/meet/${uid}` },
      findAccount: (_context, id) => ({
        accountId: id,
        claims: () => ({ ...this.#people.get(id), sub: id }),
      }),
      loadExistingGrant: async (context) => {
        const { provider: own, client, session } = context.oidc;
        const grant = new own.Grant({
          ...(client === undefined ? {} : { clientId: client.clientId }),
          ...(session?.accountId === undefined ? {} : { accountId: session.accountId }),
        });
        grant.addOIDCScope("openid profile groups");
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    return async (request, response) => {
      if (request.url?.startsWith("/meet/") !== true) return answer(request, response);
      const { person } = this;
      this.#people.set(person.sub, person);
      const result = { login: { accountId: person.sub } };
      await provider.interactionFinished(request, response, result, {
        mergeWithLastSubmission: false,
      });
    };
  }

  #client(id: string): ClientMetadata {
    return {
      client_id: id,
      client_secret: this.clientSecret,
      redirect_uris: [this.#redirectUri],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    };
  }
}

interface Key {
  readonly privateKey: KeyObject;
  readonly jwk: JWK & { readonly kid: string };
}

function newKey(): Key {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = privateKey.export({ format: "jwk" });
  const kid = randomBytes(4).toString("hex");
  return { privateKey, jwk: { ...jwk, kid, use: "sig", alg: "RS256" } };
}

function base64Json(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
