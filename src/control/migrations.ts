/**
 * The tables, as the steps that led to them. A step, once released, never changes; a new one is
 * appended. `PRAGMA user_version` counts the steps that a file has taken.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE nodes (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     public_key BLOB NOT NULL UNIQUE,
     state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
     enrolled_at_ms INTEGER NOT NULL,
     enrolment_key TEXT NOT NULL,
     tags TEXT NOT NULL,
     revoked_at_ms INTEGER,
     revoked_epoch INTEGER,
     revoked_last_batch INTEGER
   ) STRICT;
   CREATE UNIQUE INDEX active_names ON nodes (lower(name)) WHERE state = 'active';
   CREATE TABLE enrolment_keys (
     id TEXT PRIMARY KEY,
     secret_hash BLOB NOT NULL,
     reusable INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL,
     tags TEXT NOT NULL,
     uses INTEGER NOT NULL DEFAULT 0,
     revoked_at_ms INTEGER
   ) STRICT;
   CREATE TABLE applied (next_index INTEGER NOT NULL) STRICT;
   INSERT INTO applied VALUES (0);`,
  `CREATE TABLE staged_changes (
     id TEXT PRIMARY KEY,
     effects TEXT NOT NULL
   ) STRICT;
   ALTER TABLE nodes ADD COLUMN owner TEXT NOT NULL DEFAULT '';
   ALTER TABLE enrolment_keys RENAME TO old_enrolment_keys;
   CREATE TABLE enrolment_keys (
     id TEXT PRIMARY KEY,
     secret_hash TEXT NOT NULL,
     reusable INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL,
     created_by TEXT NOT NULL,
     expires_at_ms INTEGER NOT NULL,
     tags TEXT NOT NULL,
     uses INTEGER NOT NULL DEFAULT 0,
     revoked_at_ms INTEGER
   ) STRICT;
   INSERT INTO enrolment_keys
     SELECT id, lower(hex(secret_hash)), reusable, created_at_ms, '', expires_at_ms, tags, uses, revoked_at_ms
     FROM old_enrolment_keys;
   DROP TABLE old_enrolment_keys;`,
  `CREATE TABLE views (
     id TEXT PRIMARY KEY,
     owner_id TEXT NOT NULL,
     owner_name TEXT NOT NULL,
     name TEXT NOT NULL,
     topic TEXT NOT NULL,
     query TEXT NOT NULL,
     settings TEXT NOT NULL,
     shared INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX view_names ON views (owner_id, lower(name));`,
  `CREATE TABLE users (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     role TEXT NOT NULL,
     source TEXT NOT NULL,
     password_hash TEXT,
     totp_secret TEXT,
     totp_used_step INTEGER NOT NULL DEFAULT 0,
     created_at_ms INTEGER NOT NULL,
     created_by TEXT NOT NULL,
     disabled_at_ms INTEGER
   ) STRICT;
   CREATE UNIQUE INDEX user_names ON users (lower(name));
   CREATE TABLE recovery_codes (
     user_id TEXT NOT NULL,
     code_hash TEXT NOT NULL,
     PRIMARY KEY (user_id, code_hash)
   ) STRICT;
   CREATE TABLE signin_links (
     secret_hash TEXT PRIMARY KEY,
     user_id TEXT NOT NULL,
     expires_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     secret_hash TEXT NOT NULL UNIQUE,
     user_id TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     seen_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL,
     address TEXT NOT NULL,
     agent TEXT NOT NULL,
     second_factor INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE api_tokens (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     secret_hash TEXT NOT NULL,
     user_id TEXT NOT NULL,
     made_by TEXT NOT NULL,
     scopes TEXT,
     created_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL,
     used_at_ms INTEGER,
     revoked_at_ms INTEGER
   ) STRICT;
   CREATE TABLE signin_settings (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     second_factor_required INTEGER NOT NULL
   ) STRICT;
   INSERT INTO signin_settings VALUES (1, 1);`,
  `CREATE TABLE proposals (
     finding_id TEXT PRIMARY KEY,
     ruling TEXT NOT NULL,
     reason TEXT NOT NULL,
     expires_at_ms INTEGER,
     user_id TEXT NOT NULL,
     user_name TEXT NOT NULL,
     at_ms INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE remembered_answers (
     place INTEGER PRIMARY KEY,
     principal TEXT NOT NULL,
     key TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     about TEXT NOT NULL,
     status INTEGER,
     body TEXT,
     UNIQUE (principal, key)
   ) STRICT;`,
  `CREATE TABLE waiting_nodes (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     public_key TEXT NOT NULL,
     enrolment_key TEXT NOT NULL,
     address TEXT NOT NULL,
     asked_at_ms INTEGER NOT NULL
   ) STRICT;
   ALTER TABLE enrolment_keys ADD COLUMN needs_approval INTEGER NOT NULL DEFAULT 0;`,
  `CREATE TABLE webhook (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     url TEXT NOT NULL,
     severities TEXT NOT NULL,
     secret TEXT NOT NULL,
     url_set_at_ms INTEGER NOT NULL,
     secret_set_at_ms INTEGER NOT NULL,
     place TEXT NOT NULL,
     delivered_at_ms INTEGER,
     failed_at_ms INTEGER,
     failure TEXT
   ) STRICT;`,
  `ALTER TABLE users ADD COLUMN subject TEXT;
   CREATE UNIQUE INDEX user_subjects ON users (subject);
   CREATE TABLE oidc_settings (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     issuer TEXT NOT NULL,
     client_id TEXT NOT NULL,
     client_secret TEXT NOT NULL,
     scopes TEXT NOT NULL,
     groups_claim TEXT NOT NULL,
     roles TEXT NOT NULL,
     label TEXT NOT NULL,
     provider TEXT NOT NULL,
     fetched_at_ms INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE settings (
     name TEXT PRIMARY KEY,
     value INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE pruned (
     id INTEGER PRIMARY KEY CHECK (id = 0),
     before_ms INTEGER NOT NULL
   ) STRICT;
   INSERT INTO pruned VALUES (0, 0);`,
  `CREATE TABLE passkeys (
     id TEXT PRIMARY KEY,
     user_id TEXT NOT NULL,
     name TEXT NOT NULL,
     credential_id TEXT NOT NULL UNIQUE,
     public_key TEXT NOT NULL,
     counter INTEGER NOT NULL,
     rp_id TEXT NOT NULL,
     transports TEXT NOT NULL,
     backed_up INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL,
     used_at_ms INTEGER
   ) STRICT;
   CREATE INDEX passkey_users ON passkeys (user_id);`,
  `CREATE TABLE past_owners (
     node_id TEXT NOT NULL,
     owner TEXT NOT NULL,
     ended_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX past_owners_of ON past_owners (node_id, ended_at_ms);`,
];
