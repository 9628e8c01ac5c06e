/** What an operation tells while it runs. The program decides how that looks: lines, JSON, or a bar on a terminal. */

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Report {
  /** Something happened. The message is one line; fields are for programs. Never holds a secret. */
  info(message: string, fields?: Fields): void;
  /** Something that a person should look at, although the operation goes on. */
  warn(message: string, fields?: Fields): void;
  /** How far it is; called often, costs nothing if nobody looks. */
  progress(progress: Progress): void;
}

/** Bytes moved so far. */
export interface Progress {
  /** What is being moved, such as `uploading`. */
  phase: string;
  /** Bytes of the user's own data. */
  plain: number;
  /** Bytes as stored, on their way to or from the server. */
  stored: number;
  /** Of `stored`, if it is known beforehand. */
  total?: number;
}

/** For callers that do not listen. */
export const SILENT: Report = { info: () => {}, warn: () => {}, progress: () => {} };
