import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConsoleOptions, createConsole } from '../../src/cli/console.ts';

const test = suite('cli: console');

function open(options: Partial<ConsoleOptions> = {}) {
  const written: string[] = [];
  const clock = { now: 0 };
  const console = createConsole({
    write: (text) => written.push(text),
    format: 'people',
    verbosity: 2,
    progress: 'never',
    columns: () => 80,
    clock: () => clock.now,
    now: () => '2026-01-02T03:04:05.000Z',
    ...options,
  });
  return { console, written, clock };
}

const MEBIBYTE = 1024 ** 2;

test('people get sentences, with what to do below', () => {
  const { console, written } = open();
  console.info('Version uploaded', { collection: 'app', bytes: 12, nothing: undefined });
  console.warn('look at this');
  console.error('cannot do it', 'do something else', { code: 'usage' });
  assert.equal(written, [
    'Version uploaded (collection app, bytes 12)\n',
    'backup-maker: warning: look at this\n',
    'backup-maker: error: cannot do it (code usage)\n',
    '  try: do something else\n',
  ]);
});

test('programs get key=value, quoted where it must be', () => {
  const { console, written } = open({ format: 'text' });
  console.info('one', { file: 'a b="c"', plain: 'x/y:1', count: 3, yes: true });
  console.error('it is "so"', 'do it');
  assert.equal(written, [
    'time=2026-01-02T03:04:05.000Z level=info msg=one file="a b=\\"c\\"" plain=x/y:1 count=3 yes=true\n',
    'time=2026-01-02T03:04:05.000Z level=error msg="it is \\"so\\"" try="do it"\n',
  ]);
});

test('or an object a line', () => {
  const { console, written } = open({ format: 'json' });
  console.warn('so', { count: 3, nothing: undefined });
  console.error('not', 'do it', { exitStatus: 2 });
  assert.equal(
    written.map((line) => JSON.parse(line)),
    [
      { time: '2026-01-02T03:04:05.000Z', level: 'warning', msg: 'so', count: 3 },
      { time: '2026-01-02T03:04:05.000Z', level: 'error', msg: 'not', exitStatus: 2, try: 'do it' },
    ],
  );
});

test('what a server says steers no terminal, in whichever format', () => {
  const steering = 'a\u001b[2J\u009b1m\r\n\u007f\u202e\u2066b';
  for (const format of ['people', 'text', 'json'] as const) {
    const { console, written } = open({ format });
    console.error(steering, steering, { field: steering });
    const text = written.join('');
    assert.is(text.split('\n').length, format === 'people' ? 3 : 2, 'no line more than there are');
    for (const character of ['\u001b', '\u009b', '\r', '\u007f', '\u202e', '\u2066'])
      assert.not.ok(text.includes(character), `${format} ${JSON.stringify(character)}`);
    if (format === 'json') assert.is(JSON.parse(text).field, steering, 'and programs get it as it was');
  }
});

test('verbosity: what is less important is left out', () => {
  for (const [verbosity, expected] of [
    [0, ['e']],
    [1, ['w', 'e']],
    [2, ['i', 'w', 'e']],
  ] as const) {
    const { console, written } = open({ verbosity, format: 'json' });
    console.info('i');
    console.warn('w');
    console.error('e', undefined);
    assert.equal(
      written.map((line) => JSON.parse(line).msg),
      expected,
    );
  }
});

test('the line moves five times a second, is as wide as the terminal, and makes room', () => {
  const { console, written, clock } = open({ progress: 'line', columns: () => 40 });
  for (clock.now = 1000; clock.now <= 2000; clock.now += 10)
    console.progress({ phase: 'uploading', plain: clock.now * 1000, stored: 1 });
  assert.is(written.length, 6);
  for (const line of written) {
    assert.ok(line.startsWith('\ruploading ') && line.endsWith('\u001b[K'));
    assert.ok(line.length - 1 - '\u001b[K'.length <= 39, line);
  }
  written.length = 0;
  console.info('in between');
  assert.equal(written, ['\r\u001b[K', 'in between\n']);
  console.end();
  assert.is(written.length, 2, 'there is nothing to clear');
  clock.now += 1000;
  console.progress({ phase: 'uploading', plain: 1, stored: 1 });
  console.end();
  assert.is(written.at(-1), '\r\u001b[K');
});

test('elsewhere there is a line every half minute, and none of what is quicker', () => {
  const { console, written, clock } = open({ progress: 'log', format: 'text' });
  const from = 12_345;
  for (clock.now = from; clock.now < from + 95_000; clock.now += 500)
    console.progress({ phase: 'restoring', plain: (clock.now - from) * 1024, stored: 1, total: 2 });
  assert.is(written.length, 3);
  assert.match(
    written[0] ?? '',
    'msg=restoring bytes=30720000 storedBytes=1 totalBytes=2 bytesPerSecond=1024000 elapsedSeconds=30',
  );
});

test('every phase has a time and a rate of its own', () => {
  const { console, written, clock } = open({ progress: 'line' });
  clock.now = 1000;
  console.progress({ phase: 'one', plain: 0, stored: 0 });
  clock.now = 61_000;
  console.progress({ phase: 'two', plain: 0, stored: 0 });
  clock.now = 63_000;
  console.progress({ phase: 'two', plain: 2 * MEBIBYTE, stored: 0 });
  assert.match(written.at(-1) ?? '', '1.00 MiB/s  0:02');
});

test('no progress where it is not wanted, or only errors are', () => {
  for (const options of [{ progress: 'never' }, { progress: 'line', verbosity: 1 }] as const) {
    const { console, written, clock } = open(options);
    for (clock.now = 0; clock.now < 100_000; clock.now += 1000)
      console.progress({ phase: 'a', plain: 1, stored: 1 });
    assert.equal(written, []);
  }
});

test.run();
