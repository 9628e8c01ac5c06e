/** Whether a collection is well: the original's three checks, and two that it lacked. */
import type { HealthCheck } from '../../wire/messages.ts';
import { limitsOf } from '../collections/quota.ts';
import { contains, slotsBefore } from '../collections/windows.ts';
import type { Collection, CollectionSpec } from '../configuration/configuration.ts';
import type { Version } from '../metadata/metadata.ts';
import { check } from './check.ts';
import { explainFreshness } from './freshness.ts';

/** All checks of a collection, given its live versions, oldest first. */
export function checkCollection(
  { spec }: Collection,
  versions: readonly Version[],
  now: number,
): HealthCheck[] {
  const newest = versions.at(-1);
  return [
    check('BackupWindowValidator', explainWindows(spec, newest, now)),
    check('VersionsSizeValidator', explainSizes(spec, versions)),
    check('SumOfVersionsValidator', explainSum(spec, versions)),
    check('VersionsExistValidator', explainAbsence(spec, newest)),
    check('FreshnessValidator', explainFreshness(spec, newest?.createdAt, now)),
  ];
}

/** Well if the newest version came in the previous slot of any window, or if we are inside of one. */
function explainWindows(spec: CollectionSpec, newest: Version | undefined, now: number): string {
  const windows = spec.windows ?? [];
  if (windows.length === 0 || (!newest && spec.mayBeEmpty)) return '';
  for (const window of windows) {
    const [slot] = slotsBefore(window, now, 1);
    if (!slot) continue;
    if (contains(slot, now)) return '';
    // An upload that began in the window may be registered after its end.
    if (newest && newest.createdAt > slot.start) return '';
  }
  const slots = windows.map(({ from, duration }) => `interval(${from}) + ${duration}`).join(', ');
  const latest = newest ? new Date(newest.createdAt).toISOString() : 'never';
  return `previous backup was not executed in expected time slots: ${slots}. Latest backup created at: ${latest}`;
}

function explainSizes(spec: CollectionSpec, versions: readonly Version[]): string {
  const { maxOneVersionSize } = limitsOf(spec);
  const failed = versions.find(({ filesize }) => filesize > maxOneVersionSize);
  return failed
    ? `maximum filesize is bigger than collection soft limit per file. Failed file: ${failed.filename} (size=${failed.filesize}b)`
    : '';
}

function explainSum(spec: CollectionSpec, versions: readonly Version[]): string {
  const sum = versions.reduce((total, { filesize }) => total + filesize, 0);
  const { maxCollectionSize } = limitsOf(spec);
  return sum > maxCollectionSize
    ? `Summary of all files is ${sum}b, while collection hard limit is ${maxCollectionSize}b`
    : '';
}

function explainAbsence(spec: CollectionSpec, newest: Version | undefined): string {
  return newest || spec.mayBeEmpty
    ? ''
    : 'nothing was ever stored; set mayBeEmpty in the collection if that is as it should be';
}
