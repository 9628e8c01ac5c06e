import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TIME_ZONE_ALIASES } from '../../scripts/time-zone-aliases.ts';
import { explainFormat } from '../../src/api/formats.ts';
import { cpuMsSince, cpuTime } from '../cpu-time.ts';

const age = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

const cases: Record<string, { good: string[]; bad: string[] }> = {
  'object-name': { good: ['a', 'app-1.db'], bad: ['', 'App', 'a_b', '-a', 'a-', 'a..b', 'a'.repeat(254)] },
  'dns-label': { good: ['shop', 'a'.repeat(63)], bad: ['a.b', 'a'.repeat(64), ''] },
  'label-key': { good: ['a', 'example.org/Team_x.y'], bad: ['a/b/c', 'Example_/a', '/a', 'a/', ''] },
  'label-value': { good: ['', 'A-b_c.1'], bad: ['-a', 'a b', 'a'.repeat(64)] },
  'secret-key': {
    good: ['tls.crt', '.dot', 'A_b-c', '-', 'a..b'],
    bad: ['a/b', '', 'a b', '.', '..', '..a', 'a'.repeat(254)],
  },
  'secret-key-or-empty': { good: ['', 'tls.crt'], bad: ['a/b', '..', ' '] },
  'dns-name-or-empty': { good: ['', 'app-1.db'], bad: ['App', 'a_b', ' '] },
  'vars-path': {
    good: ['Params.password', 'HelmValues.env.A'],
    bad: ['password', 'Params.', '.a', 'Params.a b'],
  },
  quantity: {
    good: ['1', '0.5', '500m', '512Mi', '1e3', '.5G'],
    bad: ['', '512MB', '-1', '1 Gi', 'Mi', '0x1'],
  },
  image: {
    good: [
      'postgres',
      'postgres:16',
      'ghcr.io/a/b:v1',
      'host:5000/a',
      `a/b:1@${digest}`,
      'a__b/c.d',
      '[::1]:5000/a',
    ],
    bad: ['', 'a/B', 'a b', 'http://a/b', 'a:', 'a:b:c', 'a@sha256:12', 'a//b', '/a', ':1'],
  },
  'time-zone': {
    good: [
      ...['Europe/Warsaw', 'Etc/UTC', 'UTC', 'Asia/Kolkata', 'Asia/Calcutta', 'Europe/Kyiv', 'Europe/Kiev'],
      ...['GMT', 'GMT+0', 'US/Pacific', 'EST5EDT', 'Etc/GMT-14', 'W-SU', 'America/Argentina/ComodRivadavia'],
    ],
    bad: [
      ...['', 'Local', 'europe/warsaw', 'Europe/Krakow', '+02:00', 'utc', 'Factory', 'PST'],
      ...['europe/kyiv', 'gmt', 'us/pacific', 'est5edt', 'w-su', 'AMERICA/ARGENTINA/COMODRIVADAVIA'],
    ],
  },
  'http-url': {
    good: ['https://a', 'http://a:8080/prefix', 'http://[::1]:80'],
    bad: ['', 'a:80', 'ftp://a', 'https://u:p@a', 'https://a?b', 'https://a#b'],
  },
  recipient: {
    good: [age, ` ${age}\n`, '-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n-----END PGP PUBLIC KEY BLOCK-----\n'],
    bad: [
      '',
      'age1',
      age.slice(0, -1),
      age.replace('q', 'p'),
      age.toUpperCase(),
      'ssh-ed25519 AAAA',
      'AGE-SECRET-KEY-1X',
    ],
  },
  'backup-version': { good: ['latest', '3', 'v3'], bad: ['', '0', 'v0', 'newest', '-1'] },
  'relative-folder': { good: ['a', 'a/b.c'], bad: ['', '..', 'a/../b', '/a', './a', 'a/'] },
  host: {
    good: ['a', 'a.b.svc.', '10.0.0.1', 'fe80::1', 'a_b'],
    bad: ['', 'a b', 'http://a', 'a:1x', '-a', 'a..b'],
  },
  port: { good: ['1', '65535'], bad: ['0', '65536', '80a', ''] },
  'sub-path': {
    good: ['', 'a', 'a/b c', '..a/b..', '.', 'a//b'],
    bad: ['/', '/a', '..', '../up', 'a/../b', 'a/..', 'a\n'],
  },
  path: { good: ['/', '/a b/c'], bad: ['', 'a', '/a/../b', '/a\n'] },
};

for (const [name, { good, bad }] of Object.entries(cases)) {
  test(name, () => {
    for (const value of good) assert.is(explainFormat(name, value), undefined, value);
    for (const value of bad) assert.type(explainFormat(name, value), 'string', value);
  });
}

test('a time zone in the wrong case is told how it is written', () => {
  assert.is(explainFormat('time-zone', 'europe/kyiv'), 'must be written Europe/Kyiv');
  assert.is(explainFormat('time-zone', 'gmt'), 'must be written GMT');
  assert.is(explainFormat('time-zone', 'us/pacific'), 'must be written US/Pacific');
});

test('the aliases of time zones are names that Intl knows, too, and that it does not list', () => {
  const listed = new Set(Intl.supportedValuesOf('timeZone'));
  for (const name of TIME_ZONE_ALIASES) {
    assert.not.ok(listed.has(name), name);
    assert.not.throws(() => new Intl.DateTimeFormat('en', { timeZone: name }), name);
  }
});

test('no value takes long, however hostile', () => {
  const start = cpuTime();
  for (const name of Object.keys(cases)) {
    for (const piece of [':', 'a-', 'a.', '-', '_', '0', ' ', '/', 'age1'])
      explainFormat(name, `${piece.repeat(20_000)}!`);
  }
  assert.ok(cpuMsSince(start) < 1000);
});

test.run();
