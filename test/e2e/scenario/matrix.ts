/** The matrix of what is tested together: fixtures/compatibility.yaml as the tests and the document read it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../sandbox.ts';

export const MATRIX_FILE = 'fixtures/compatibility.yaml';

export interface Row {
  /** Also the namespace, the collection and the user of the server. */
  name: string;
  data: 'postgres' | 'mariadb' | 'redis' | 'sqlite' | 'files' | 'etcd';
  /** A built-in procedure, or `own`: a ClusterBackupProcedureTemplate that calls the client itself. */
  procedure: string;
  encryption: 'openpgp' | 'age';
  /** Of the pods; without one our own. */
  image?: string;
  /** How the version of the data's tools begins. */
  version?: string;
  /** What renders the package. */
  with: 'kustomize' | 'kpt';
}

export interface Matrix {
  rows: Row[];
  /** Images that are not those of their name, and what they hold: how their label `stand-in` begins. */
  'stand-ins': { image: string; inside: string }[];
  /** What could not be had. */
  missing: { data: string; reason: string }[];
}

export const matrix: Matrix = parse(readFileSync(join(root, MATRIX_FILE), 'utf8'));
