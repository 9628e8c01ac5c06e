/** A built-in procedure as `procedures/<name>/` describes it and `gen/procedures.ts` embeds it. */
import type { Validator } from './validate.ts';

export type Operation = 'backup' | 'restore';
export const OPERATIONS: readonly Operation[] = ['backup', 'restore'];

export interface Parameter {
  type: 'string';
  description: string;
  default?: string;
  format?: string;
  enum?: readonly string[];
  pattern?: string;
  examples?: readonly string[];
  /** Environment variable of the data's own tool that carries the value. */
  'x-env': string;
  /** True if the value is a credential. */
  'x-secret'?: boolean;
}

export interface ProcedureVolume {
  name: string;
  /** Parameter that names the PersistentVolumeClaim; the volume exists only if it is given. */
  claim: string;
  /** Parameter that names a folder inside the volume. */
  subPath?: string;
  mountPath: string;
  readOnly: 'backup' | 'never' | 'always';
  /** The only operation that mounts it. Absent: both do. */
  operation?: Operation;
}

export interface Procedure {
  name: string;
  description: string;
  /** Repository of the tool's stock image; its tag is the version. Absent: the client's own image. */
  image?: string;
  versions?: readonly string[];
  defaultVersion?: string;
  /** Shell that runs the scripts. Default: /bin/sh. */
  shell?: string;
  /** Other names of the procedure, with the version that each of them means. */
  aliases?: Readonly<Record<string, { version?: string }>>;
  parameters: {
    properties: Readonly<Record<string, Parameter>>;
    required?: readonly string[];
    [keyword: string]: unknown;
  };
  /** The parameters that say where the data is reached over the network. */
  endpoint?: { host: string; port: string };
  volumes?: readonly ProcedureVolume[];
  /** Whether an operation needs room on a scratch disk for the whole data. */
  scratch: Readonly<Record<Operation, boolean>>;
  scripts: Readonly<Record<Operation, string>>;
  validator: Validator;
}
