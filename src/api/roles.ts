/** Who may do what. A role is a set of permissions; every route of the API names the one that it takes. */

export const ROLES = ["viewer", "operator", "auditor", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

const EVERYBODY = ROLES;
const AT_WORK = ["operator", "auditor", "admin", "owner"] as const;

/**
 * Which roles have a permission. An auditor reads and exports everything and changes nothing but what
 * is his own; an administrator runs the fleet; an owner decides who may do what.
 */
export const PERMISSIONS = {
  "profile.read": EVERYBODY,
  "profile.write": EVERYBODY,
  "status.read": EVERYBODY,
  "findings.read": EVERYBODY,
  "changes.read": EVERYBODY,
  "nodes.read": EVERYBODY,
  "views.write": EVERYBODY,
  "connections.read": AT_WORK,
  "logs.read": AT_WORK,
  export: AT_WORK,
  "findings.rule": ["operator", "admin", "owner"],
  sql: ["auditor", "admin", "owner"],
  "recordings.read": ["auditor", "admin", "owner"],
  "keys.read": ["auditor", "admin", "owner"],
  "nodes.write": ["admin", "owner"],
  "keys.write": ["admin", "owner"],
  "policy.write": ["admin", "owner"],
  "reads.read": ["auditor", "owner"],
  "users.read": ["auditor", "owner"],
  "users.write": ["owner"],
  "settings.read": ["auditor", "admin", "owner"],
  "settings.write": ["owner"],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type Permission = keyof typeof PERMISSIONS;

export function isPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text);
}

/** In the order of the table. */
export function permissionsOf(role: Role): Permission[] {
  return Object.keys(PERMISSIONS)
    .filter(isPermission)
    .filter((permission) => mayRole(role, permission));
}

export function mayRole(role: Role, permission: Permission): boolean {
  const roles: readonly Role[] = PERMISSIONS[permission];
  return roles.includes(role);
}

/** What a role may do that changes nothing: the widest scope of a token that only reads. */
export function isReading(permission: Permission): boolean {
  return permission.endsWith(".read") || permission === "export" || permission === "sql";
}
