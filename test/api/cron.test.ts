import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explainCron, plainCron } from '../../src/api/cron.ts';

test('what the CronJob controller accepts is accepted', () => {
  const good = [
    ...['00 02 * * *', '*/15 * * * *', '0 0 1 1 *', '0 2 * * mon-fri', '0 2 ? JAN,jul ?', '5/10 * * * *'],
    ...[
      '0-59/5 0-23 1-31 1-12 0-6',
      '@daily',
      '@every 1h30m',
      ' 0 2 * * * ',
      '0 2 29 2 *',
      '0 2 30 2 1',
      '0 2 31 */2 *',
    ],
  ];
  for (const text of good) assert.is(explainCron(text), undefined, text);
});

test('what it refuses, or would wait for in vain, is refused with the field', () => {
  const bad: Record<string, RegExp> = {
    '': /got 0/,
    '0 2 * *': /got 4/,
    '0 0 2 * * *': /got 6/,
    '60 2 * * *': /minute "60": must be 0 to 59/,
    '0 24 * * *': /hour/,
    '0 2 0 * *': /day of month "0": must be 1 to 31/,
    '0 2 * 13 *': /month/,
    '0 2 * * 7': /Sunday is 0/,
    '0 2 * * sunday': /day of week/,
    '*/0 * * * *': /step/,
    '*/5/2 * * * *': /more than one/,
    '0 2 * * fri-mon': /backwards/,
    '0 2 -1 * *': /day of month/,
    '@reboot': /unknown descriptor/,
    'TZ=UTC 0 2 * * *': /timeZone/,
    'CRON_TZ=UTC 0 2 * * *': /timeZone/,
    '0 2 30 2 *': /never comes/,
    '0 2 31 4,6,9,11 *': /never comes/,
    '0 2 31 2-4/2 *': /never comes/,
  };
  for (const [text, reason] of Object.entries(bad))
    assert.match(explainCron(text) ?? 'accepted', reason, text);
});

test('what is accepted is written without blanks that the controller does not take', () => {
  for (const [text, plain] of [
    [' @daily', '@daily'],
    ['@daily\n', '@daily'],
    ['\t@every 1h30m ', '@every 1h30m'],
    [' 0  2 * * *\n', '0 2 * * *'],
    ['0\ufeff2\u00a0* * *', '0 2 * * *'],
  ] as const) {
    assert.is(explainCron(text), undefined, JSON.stringify(text));
    assert.is(plainCron(text), plain);
  }
});

test('any text gets an answer, and any list of single values in range is accepted', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => typeof (explainCron(text) ?? '') === 'string'),
  );
  const numbers = (low: number, high: number) =>
    fc
      .array(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: 5 })
      .map((list) => list.join(','));
  // No month is without its first 28 days.
  const expression = fc
    .tuple(numbers(0, 59), numbers(0, 23), numbers(1, 28), numbers(1, 12), numbers(0, 6))
    .map((fields) => fields.join(' '));
  fc.assert(fc.property(expression, (text) => explainCron(text) === undefined));
});

test.run();
