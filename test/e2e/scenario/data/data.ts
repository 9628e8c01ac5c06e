/** What one row of the matrix backs up: real data, its changes, and its whole state as text. */
import type { Manifest } from '../../sandbox.ts';
import type { Row } from '../matrix.ts';

export interface Data {
  /** `vars.Params` of the ScheduledBackup. */
  params: Record<string, string>;
  /** More of them, for a Secret. */
  secretParams: Record<string, string>;
  /** Folders that are the pods' volumes, by claim. */
  claims?: Record<string, string>;
  /** What the ScheduledBackup says of its pods. */
  podTemplate?: Manifest;
  /** Host names that the pods use. */
  hosts: readonly string[];
  /** The user's own scripts, for rows with such. They call the client. */
  scripts: { backup: string; restore: string };
  /** Changes, adds and removes; the text tells one change from another. */
  change(text: string): Promise<void>;
  /** All of it, so that two states are the same only if every part is. */
  state(): Promise<string>;
  /** Of the server, or of the tool where there is none. */
  version(): Promise<string>;
  /** How often it was loaded, as told by the data's own log. */
  loads?(): Promise<number>;
  /** Has everybody wait who wants to read or replace the data, until the promise resolves. */
  blockWhile?(work: () => Promise<void>): Promise<void>;
  /** What an operator does before a restore, such as to stop a member. */
  beforeRestore?(): Promise<void>;
  /** And after it. */
  afterRestore?(): Promise<void>;
  stop?(): Promise<void>;
}

/** Makes the data of a row, in a database of its own. */
export type MakeData = (row: Row) => Promise<Data>;

/** Who runs the application whose files these are. */
export const APPLICATION_USER = 1500;

/** The pods run as the application's user and group, as the procedures for files ask for. */
export const AS_APPLICATION: Manifest = {
  securityContext: {
    runAsUser: APPLICATION_USER,
    runAsGroup: APPLICATION_USER,
  },
};

/** With characters that a shell, a query or a line of a file may trip over. */
export const DATABASE_PASSWORD = `db-s3cret $HOME "x" %s`;

/** Half a line of the client in the user's own scripts. */
export const MAKE = `backup-maker make --url {{ .Repository.url }} --collection-id="{{ .Repository.collectionId }}" --key {{ .Repository.encryptionKeyPath }}`;
export const RESTORE = `backup-maker restore --url {{ .Repository.url }} --collection-id="{{ .Repository.collectionId }}" --private-key {{ .Repository.encryptionKeyPath }} --version "$RESTORE_VERSION"`;
