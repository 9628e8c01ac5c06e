import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CollectionSpec } from '../../../src/server/configuration/configuration.ts';
import { checkCollection } from '../../../src/server/health/collection-health.ts';
import { isOverdue } from '../../../src/server/health/freshness.ts';
import { checkServer } from '../../../src/server/health/server-health.ts';
import type { Version } from '../../../src/server/metadata/metadata.ts';

const HOUR = 3_600_000;
const at = (time: string, day = '10') => Date.parse(`2026-01-${day}T${time}:00Z`);
const nightly = { from: '0 2 * * *', duration: '1h', timeZone: 'Etc/UTC' };

function spec(more: Partial<CollectionSpec> = {}): CollectionSpec {
  return {
    filenameTemplate: 'x',
    maxBackupsCount: 2,
    maxOneVersionSize: '10B',
    maxCollectionSize: '20B',
    ...more,
  };
}

function versions(...list: [filesize: number, createdAt: number][]): Version[] {
  return list.map(
    ([filesize, createdAt], index) => ({ filename: `f-${index + 1}`, filesize, createdAt }) as Version,
  );
}

function faults(settings: CollectionSpec, stored: Version[], now: number): Record<string, string> {
  const bad = checkCollection({ id: 'c', spec: settings }, stored, now).filter(({ status }) => !status);
  return Object.fromEntries(bad.map(({ name, message }) => [name, message]));
}

const test = suite('health');

test('windows: the newest version in the previous slot, or a slot that is open', () => {
  const settings = spec({ windows: [nightly] });
  assert.equal(faults(settings, versions([1, at('02:30')]), at('12:00')), {});
  assert.equal(
    faults(settings, versions([1, at('03:10')]), at('12:00')),
    {},
    'begun inside, registered behind',
  );
  assert.equal(faults(settings, versions([1, at('02:30', '09')]), at('02:30')), {});
  assert.equal(faults(settings, versions([1, at('02:30', '09')]), at('12:00')), {
    BackupWindowValidator:
      'previous backup was not executed in expected time slots: interval(0 2 * * *) + 1h. Latest backup created at: 2026-01-09T02:30:00.000Z',
    FreshnessValidator:
      'the newest version is 1d 9h old, the last backup window passed without a new version',
  });
  // The original was well again for as long as a window was open, however many had passed without a version.
  assert.equal(Object.keys(faults(settings, versions([1, at('02:30', '05')]), at('02:30'))), [
    'FreshnessValidator',
  ]);
});

test('windows that overlap themselves: a backup that stays away is noticed too', () => {
  const day = 24 * HOUR;
  const now = at('12:00');
  for (const [from, duration, longest] of [
    ['*/30 * * * *', '1h', 1.5 * HOUR],
    ['0 * * * *', '2h', 3 * HOUR],
    ['0 2 * * *', '48h', 3 * day],
    ['0 2 * * *', '24h', 2 * day],
  ] as const) {
    const settings = spec({ windows: [{ from, duration, timeZone: 'Etc/UTC' }] });
    const name = `${from} for ${duration}`;
    assert.is(isOverdue(settings, now - longest - 1, now), true, name);
    assert.is(isOverdue(settings, now - HOUR, now), false, name);
    assert.equal(Object.keys(faults(settings, versions([1, now - longest - 1]), now)), [
      'FreshnessValidator',
    ]);
  }
});

test('sizes and their sum, in the words of the original', () => {
  const stored = versions([11, 0], [10, 0]);
  assert.equal(faults(spec(), stored, HOUR), {
    VersionsSizeValidator:
      'maximum filesize is bigger than collection soft limit per file. Failed file: f-1 (size=11b)',
    SumOfVersionsValidator: 'Summary of all files is 21b, while collection hard limit is 20b',
  });
});

test('staleness by expectEvery; emptiness unless it is allowed', () => {
  const settings = spec({ expectEvery: '26h' });
  assert.equal(faults(settings, versions([1, 0]), 26 * HOUR), {});
  assert.equal(faults(settings, versions([1, 0]), 30 * HOUR), {
    FreshnessValidator: 'the newest version is 1d 6h old, a version is expected every 26h',
  });
  assert.equal(Object.keys(faults(spec({ windows: [nightly] }), [], at('12:00'))), [
    'BackupWindowValidator',
    'VersionsExistValidator',
  ]);
  assert.equal(faults(spec({ windows: [nightly], mayBeEmpty: true }), [], at('12:00')), {});
  assert.is(isOverdue(spec(), undefined, 0), true);
  assert.is(isOverdue(spec({ mayBeEmpty: true }), undefined, 0), false);
});

test('the server: each fault by itself, details to the log only', async () => {
  const logged: string[] = [];
  const log = {
    info: () => {},
    error: () => {},
    warn: (_fields: object, message: string) => void logged.push(message),
  };
  const checks = await checkServer(
    {
      metadata: { ping: () => Promise.reject(new Error('password=hunter2')) },
      storage: { check: async () => {} },
      configuration: { problems: () => ['users.yaml is not YAML'] },
      log,
    },
    100,
  );
  assert.equal(
    checks.map(({ statusText, message }) => [statusText, message]),
    [
      ['DbValidator=false', 'the database does not answer'],
      ['StorageAvailabilityValidator=true', 'OK'],
      ['ConfigurationProviderValidator=true', 'last good state in use: users.yaml is not YAML'],
    ],
  );
  assert.is(logged.length, 1);
});

test.run();
