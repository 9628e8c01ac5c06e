/**
 * The tables, as Kysely sees them: one row type each, the same on both engines.
 *
 * Times are milliseconds since the epoch. Truth values are 0 and 1, because SQLite has no other. Names are those that
 * a person types into `psql`: lower case, and none that must be quoted.
 */

export interface Schema {
  versions: VersionRow;
  numbers: NumberRow;
  sessions: SessionRow;
  leases: LeaseRow;
  counters: CounterRow;
  actions: ActionRow;
}

export interface VersionRow {
  id: string;
  collection_id: string;
  version_number: number;
  filename: string;
  object_key: string;
  filesize: number;
  sha256: string;
  format: string;
  content_encoding: string;
  user_name: string;
  session_id: string;
  pinned: number;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
  /** When the object of a deleted version was removed. */
  removed_at: number | null;
}

/** The highest number that a collection ever gave, kept apart from the versions so that those may be cleaned up. */
export interface NumberRow {
  collection_id: string;
  last_number: number;
}

export interface SessionRow {
  id: string;
  user_name: string;
  access_key_name: string;
  scope: string;
  description: string;
  requester_ip: string;
  created_at: number;
  updated_at: number;
  expires_at: number;
  deactivated: number;
}

export interface LeaseRow {
  name: string;
  holder: string;
  expires_at: number;
}

export interface CounterRow {
  key: string;
  window_start: number;
  window_end: number;
  hits: number;
}

export interface ActionRow {
  namespace: string;
  name: string;
  run_id: string;
  collection_id: string;
  operation: string;
  state: 'running' | 'done' | 'failed';
  holder: string;
  lease_until: number;
  version_number: number | null;
  created_at: number;
  updated_at: number;
}
