/** What a route takes and what it leaves, said in one place beside its path. */
import type { FastifyContextConfig } from "fastify";
import type { Permission } from "../../api/roles.ts";

/**
 * `public` needs nobody · `sign-in` nobody yet, and no other site's page · `self` anybody who has
 * signed in, whatever they may · the others a principal with the permission.
 */
export type Access = "public" | "sign-in" | "self" | Permission;

/**
 * `change`: the change writer leaves its entry, and an attempt that was refused leaves one too · `read`:
 * content is read, and the entry is durable before the first byte · `export`: the same, never folded
 * with others · `tail`: the same, with a second entry when it ends · `attempt`: it prepares
 * a change, and leaves an entry only where it was refused, which may be a guess · `none`: nobody learns or
 * changes anything worth an entry.
 */
export type Audit = "none" | "attempt" | "change" | "read" | "export" | "tail";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    audit?: Audit;
    /** As in the audit: `node.revoke`. */
    action?: string;
    /** A session that has no second factor yet may call it too. */
    beforeSecondFactor?: boolean;
    /** A browser shows what it answers: failures are a page, for who can read one. */
    page?: boolean;
  }
}

export const OPEN: FastifyContextConfig = { access: "public", audit: "none" };

export function unaudited(access: "self" | Permission): FastifyContextConfig {
  return { access, audit: "none" };
}

export function changes(access: Exclude<Access, "public">, action: string): FastifyContextConfig {
  return { access, audit: "change", action };
}

export function attempts(access: Permission, action: string): FastifyContextConfig {
  return { access, audit: "attempt", action };
}

export function reads(access: Permission, action: string): FastifyContextConfig {
  return { access, audit: "read", action };
}

export function exports(access: Permission, action: string): FastifyContextConfig {
  return { access, audit: "export", action };
}

/** The same, also for a session that has no second factor yet. */
export function beforeSecondFactor(config: FastifyContextConfig): FastifyContextConfig {
  return { ...config, beforeSecondFactor: true };
}

export function tails(access: "self" | Permission, action: string): FastifyContextConfig {
  return { access, audit: "tail", action };
}
