/**
 * How the server behaves, whatever it runs on: the same tests for SQLite and PostgreSQL, a folder and S3, one process
 * and several replicas.
 */
import { suite } from 'uvu';
import type { Settings } from '../../../src/server/http/settings.ts';
import type { Metadata } from '../../../src/server/metadata/metadata.ts';
import type { ObjectStorage } from '../../../src/server/storage/storage.ts';
import { ACCOUNTS, type Document } from './documents.ts';
import { accessTests } from './suite-access.ts';
import { actionTests } from './suite-actions.ts';
import { contentTests } from './suite-content.ts';
import { downloadTests } from './suite-downloads.ts';
import { managementTests } from './suite-management.ts';
import { operationTests } from './suite-operation.ts';
import { uploadTests } from './suite-uploads.ts';
import { World } from './world.ts';

/** What the suite needs of the servers that it talks to. */
export interface Target {
  /** Where each replica answers. Requests go to them in turn. */
  urls: readonly string[];
  /** Where the servers keep versions, if the tests may damage them. */
  storage?: ObjectStorage;
  metadata?: Metadata;
  close(): Promise<void>;
}

/**
 * Starts servers with this configuration, as Kubernetes documents, and these settings. The flags that mean the same:
 * `--rate-*-limit 0 --health-check-key ready-code --hang-up-grace 3s --upload-idle-timeout 1s --idle-timeout 1s`.
 */
export type Open = (documents: readonly Document[], settings: Partial<Settings>) => Promise<Target>;

export const SUITE_SETTINGS: Partial<Settings> = {
  rateLimits: { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 },
  healthCheckKey: 'ready-code',
  // Time enough for a client of a test to hang up on a busy machine; all but one of the others say how much they send.
  hangUpGraceMs: 3000,
  uploadIdleTimeoutMs: 1000,
  idleTimeoutMs: 1000,
};

/** Defines the suite under a name, to be run by the test runner. */
export function httpSuite(name: string, open: Open): void {
  const test = suite(name);
  const world = new World();
  for (const define of [
    accessTests,
    uploadTests,
    contentTests,
    downloadTests,
    managementTests,
    actionTests,
    operationTests,
  ]) {
    define(test, world);
  }
  test.before(async () => {
    await world.open(await open([...ACCOUNTS, ...world.collections], SUITE_SETTINGS));
  });
  test.after(() => world.close());
  test.run();
}
