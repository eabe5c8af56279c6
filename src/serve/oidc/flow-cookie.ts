/**
 * A sign-in that is under way at the provider: kept by the browser that began it, sealed, so that
 * strangers who begin thousands cost no memory here, and counted once.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../std/clock.ts";
import { readCookie } from "../access/session-cookie.ts";
import { ServeError } from "../serve-error.ts";

export interface Flow {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  /** Where the browser goes when all is done. */
  readonly next: string;
}

interface SealedFlow extends Flow {
  readonly endsAtMs: number;
}

/** Long enough to look for one's second factor. */
const FLOW_MS_MAX = 10 * 60_000;
/** Flows that came back and may not again: as many as can in ten minutes, at some 100 bytes each. */
const USED_MAX = 50_000;

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class FlowCookie {
  readonly #name: string;
  readonly #attributes: string;
  readonly #clock: Clock;
  /** Of this process: what a server before has sealed has to begin anew. */
  readonly #key = randomBytes(32);
  /** By state, until when it would count; oldest first. */
  readonly #used = new Map<string, number>();

  constructor({ isSecure, clock }: { readonly isSecure: boolean; readonly clock: Clock }) {
    this.#name = isSecure ? "__Host-tallystick-oidc" : "tallystick-oidc";
    // Lax: the provider's redirect is a navigation from another site, and must bring it along.
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
    this.#clock = clock;
  }

  set(reply: FastifyReply, flow: Flow): void {
    const endsAtMs = this.#clock.nowMs() + FLOW_MS_MAX;
    const sealed = this.#seal({ ...flow, endsAtMs });
    const age = FLOW_MS_MAX / 1_000;
    reply.header("set-cookie", `${this.#name}=${sealed}; Max-Age=${age}; ${this.#attributes}`);
  }

  clear(reply: FastifyReply): void {
    reply.header("set-cookie", `${this.#name}=; Max-Age=0; ${this.#attributes}`);
  }

  /** The flow of this browser, which then counts no more. Throws `oidc_state`. */
  use(request: Pick<FastifyRequest, "headers">, state: string | null): Flow {
    const sealed = readCookie(request, this.#name);
    const flow = sealed === undefined ? undefined : this.#open(sealed);
    const nowMs = this.#clock.nowMs();
    if (flow === undefined || flow.endsAtMs <= nowMs) {
      throw new ServeError("oidc_state", "this browser has begun no sign-in lately");
    }
    if (flow.state !== state) {
      throw new ServeError("oidc_state", "the answer is to another sign-in than this browser's");
    }
    if (this.#used.has(flow.state)) {
      throw new ServeError("oidc_state", "the answer was used before");
    }
    this.#remember(flow, nowMs);
    return flow;
  }

  #remember({ state, endsAtMs }: SealedFlow, nowMs: number): void {
    for (const [used, untilMs] of this.#used) {
      if (untilMs > nowMs && this.#used.size < USED_MAX) break;
      this.#used.delete(used);
    }
    this.#used.set(state, endsAtMs);
  }

  #seal(flow: SealedFlow): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, iv);
    const text = Buffer.concat([cipher.update(JSON.stringify(flow), "utf8"), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url");
  }

  #open(sealed: string): SealedFlow | undefined {
    const bytes = Buffer.from(sealed, "base64url");
    const start = IV_BYTES + TAG_BYTES;
    if (bytes.length <= start) return undefined;
    try {
      const options = { authTagLength: TAG_BYTES };
      const iv = bytes.subarray(0, IV_BYTES);
      const decipher = createDecipheriv(CIPHER, this.#key, iv, options);
      decipher.setAuthTag(bytes.subarray(IV_BYTES, start));
      const text = Buffer.concat([decipher.update(bytes.subarray(start)), decipher.final()]);
      return JSON.parse(text.toString()) as SealedFlow;
    } catch {
      return undefined;
    }
  }
}
