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
   DROP TABLE enrolment_keys;
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
   ) STRICT;`,
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
];
