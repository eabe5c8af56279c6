/** Who sent a request, and what that lets them do. */
import { canonicalAddress } from "../../format/address.ts";
import type { Who } from "../../control/who.ts";
import { mayRole, type Permission, type Role } from "../../control/roles.ts";

export interface Principal {
  readonly who: Who;
  readonly role: Role;
  /** Of a token that is narrower than its owner's role; absent: all that the role may. */
  readonly scopes?: readonly Permission[];
  /** What its reads fold by: the session's or token's id. */
  readonly session: string;
}

export function mayPrincipal({ role, scopes }: Principal, permission: Permission): boolean {
  return mayRole(role, permission) && (scopes === undefined || scopes.includes(permission));
}

/** As it stands in an audit entry: a dual-stack socket shows IPv4 peers as `::ffff:10.0.0.1`. Empty for what is none. */
export function auditAddress(remote: string): string {
  const plain = remote.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  try {
    return canonicalAddress(plain);
  } catch {
    return "";
  }
}
