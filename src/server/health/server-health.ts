/** Whether the server can do its work: the original's three checks. */
import type { HealthCheck } from '../../wire/messages.ts';
import type { ConfigurationProvider } from '../configuration/configuration.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { ObjectStorage } from '../storage/storage.ts';
import type { Log } from '../versions/log.ts';
import { check } from './check.ts';

export interface ServerHealthSources {
  readonly metadata: Pick<Metadata, 'ping'>;
  readonly storage: Pick<ObjectStorage, 'check'>;
  readonly configuration: Pick<ConfigurationProvider, 'problems'>;
  readonly log: Log;
}

/**
 * A mistake in one account or collection is named, and does not fail the check: the last good state is served, and
 * taking every replica out of service would let one tenant's mistake stop the backups of all.
 */
function configurationCheck(problems: readonly string[]): HealthCheck {
  const well = check('ConfigurationProviderValidator', '');
  return problems.length === 0
    ? well
    : { ...well, message: `last good state in use: ${problems.join('; ')}` };
}

/** All checks, each within the time. The reasons of failures go to the log: this page may be open to strangers. */
export async function checkServer(
  { metadata, storage, configuration, log }: ServerHealthSources,
  timeoutMs: number,
): Promise<HealthCheck[]> {
  const attempt = async (work: Promise<void>, fault: string) => {
    try {
      await work;
      return '';
    } catch (error) {
      log.warn({ err: error }, fault);
      return fault;
    }
  };
  const [database, stored] = await Promise.all([
    attempt(metadata.ping(timeoutMs), 'the database does not answer'),
    attempt(storage.check(timeoutMs), 'the storage cannot be written and read'),
  ]);
  return [
    check('DbValidator', database),
    check('StorageAvailabilityValidator', stored),
    configurationCheck(configuration.problems()),
  ];
}
