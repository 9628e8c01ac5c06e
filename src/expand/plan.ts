/**
 * The plan of one ScheduledBackup: everything that its objects are made of, worked out once for both operations.
 *
 * All decisions are taken when planning; the files that make objects only write them down.
 */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { ScheduledBackup } from '../../gen/types.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import type { Environment, SecretEntry } from './environment.ts';

/** Where the data is reached over the network: undefined if it is not, `unknown` if only the pod can tell. */
export type Endpoint = { host: string; port: string } | 'unknown' | undefined;

export interface Plan {
  name: string;
  /** Undefined where the source has none: the build sets it, or kubectl does. */
  namespace: string | undefined;
  /** The operation that the CronJob does, if there is one. */
  scheduled: Operation;
  backup: ScheduledBackup;
  operations: Record<Operation, OperationPlan>;
  /** The server's address if it is known. */
  url: string | undefined;
  endpoint: Endpoint;
  /** The collection if it is known when rendering. */
  collection: string | undefined;
  /** The key pair that a Job is to make in the cluster; undefined if that was not asked for. */
  newKey: NewKey | undefined;
}

/** A Secret that is to hold a new key pair, and the names of its entries. */
export interface NewKey {
  secretName: string;
  publicKey: string;
  privateKey: string;
  passphrase: string;
  email: string | undefined;
}

export interface OperationPlan {
  /** Files of the ConfigMap, by name. */
  files: Record<string, string>;
  image: string;
  /** Image of the client; undefined if the main image carries the client already. */
  clientImage: string | undefined;
  command: string[];
  args: string[];
  environment: Environment;
  /** Credentials in clear text, for the generated Secret. */
  literals: Map<string, string>;
  /** Entries of Secrets that are mounted as files, by file name. */
  secretFiles: Map<string, SecretEntry>;
  volumes: Volume[];
  volumeMounts: VolumeMount[];
  /** User and group of the pod. */
  user: number;
  /** Whether the root file system can be read-only. */
  readOnlyRoot: boolean;
  /** Whether the operation spools the whole data to the scratch folder. */
  scratch: boolean;
  /** What makes the operation impossible; an error only where it is asked for. */
  missing: Problem[];
}
