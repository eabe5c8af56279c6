/** Who sent a request, and what that lets them do. */
import { canonicalAddress } from "../../format/address.ts";
import type { ApiToken } from "../../control/token-table.ts";
import type { Who } from "../../control/who.ts";
import { mayRole, type Permission, type Role } from "../../api/roles.ts";

export interface Principal {
  readonly who: Who;
  readonly role: Role;
  /** Of a token that is narrower than its owner's role; absent: all that the role may. */
  readonly scopes?: readonly Permission[];
  /** What its reads fold by: the session's or token's id. */
  readonly session: string;
  /** How they showed who they are. */
  readonly by: "admin" | "session" | "token";
  /** Whose session or token it is; absent: the administrator's token, which is nobody's. */
  readonly user?: { readonly id: string; readonly name: string };
  /** The token, by a token. */
  readonly token?: ApiToken;
  /** A session that may only set up a second factor. */
  readonly needsSecondFactor?: boolean;
}

export function mayPrincipal(
  { role, scopes }: Pick<Principal, "role" | "scopes">,
  permission: Permission,
): boolean {
  return mayRole(role, permission) && (scopes === undefined || scopes.includes(permission));
}

/**
 * A peer's address as it stands in an audit entry and is compared: a dual-stack socket shows IPv4 peers as
 * `::ffff:10.0.0.1`, and says on which link it met a link-local one. Empty for what is none.
 */
export function auditAddress(remote: string): string {
  try {
    return canonicalAddress(remote.replace(/%.*$/, ""));
  } catch {
    return "";
  }
}
