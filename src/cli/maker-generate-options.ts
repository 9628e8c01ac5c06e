/** What can be said to `generate`, apart from what it does: reading flags must not load the whole expansion. */
import type { Operation } from '../api/procedure.ts';

/** Paths are relative to `cwd`. What is undefined has the default of the original's flag. */
export interface GenerateOptions {
  operation: Operation;
  /** Name of a built-in procedure or of a template file. */
  template: string;
  /** Default: `./rkc-backup.yaml`. */
  definition?: string;
  /** Manifests instead of a script. */
  kubernetes?: boolean;
  /** Default: `gpg-key`. Empty: no encryption. */
  gpgKeyPath?: string;
  /** Default: the current folder. Made if it is not there. */
  outputDir?: string;
  /** Backups on Kubernetes: the cron expression. Default: `16 1 * * *`. */
  k8sJobSchedule?: string;
  /** Default: `my-backup-job`. */
  k8sName?: string;
  /** Default: that of the built-in procedure; for templates the original's. */
  k8sImage?: string;
  k8sNamespace?: string;
  /** Restores: the version if nothing else is said when they run. Default: latest. */
  targetVersion?: string;
  /** Restores on Kubernetes: each run id is restored once. Default: 1. */
  runId?: string;
  /** Default: the process's own. */
  cwd?: string;
  home?: string;
}

/** Of the original's flags. */
export const DEFAULTS = {
  definition: './rkc-backup.yaml',
  gpgKeyPath: 'gpg-key',
  outputDir: './',
  k8sJobSchedule: '16 1 * * *',
  k8sName: 'my-backup-job',
};
