import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest } from '../../src/api/nearest.ts';
import { unknownField } from '../../src/api/validate.ts';

test('a name that is nearly right is found, one that is not is left alone', () => {
  const known = ['collectionId', 'cronJob', 'templateRef', 'vars'];
  const expected: Record<string, string | undefined> = {
    colectionID: 'collectionId',
    cronjob: 'cronJob',
    cornJob: 'cronJob',
    var: 'vars',
    schedule: undefined,
    x: undefined,
    '': undefined,
  };
  for (const [word, name] of Object.entries(expected)) assert.is(nearest(word, known), name, word);
});

test('a field may also be a part of the right name', () => {
  const known = ['enabled', 'scheduleEvery', 'timeZone'];
  assert.match(unknownField('spec.cronJob', 'schedule', known).message, /did you mean scheduleEvery\?/);
  assert.match(unknownField('spec.cronJob', 'tz', known).message, /known: enabled, scheduleEvery, timeZone/);
});

test.run();
