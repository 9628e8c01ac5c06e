/** What --help says of commands, flags and exit statuses, and that the guide says the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CODES } from '../../src/api/codes.ts';
import { GROUPS } from '../../src/cli/maker-flags.ts';
import { createMaker, EXIT_STATUS } from '../../src/cli/maker-program.ts';
import { maker } from './maker-world.ts';

const test = suite('backup-maker: help');

const COMMANDS = [
  [],
  ['make'],
  ['restore'],
  ['download'],
  ['check'],
  ['list'],
  ['status'],
  ['login'],
  ['keygen'],
  ['completion'],
];
const GENERATE = [['generate'], ['generate', 'backup'], ['generate', 'restore']];

test('help: exit status 0, for every command, with examples and the exit status', async () => {
  for (const command of [...COMMANDS, ...GENERATE]) {
    const { code, out, err } = await maker([...command, '--help']);
    assert.is(code, 0);
    assert.is(err, '');
    assert.match(out, `Usage: ${['backup-maker', ...command].join(' ')} `);
    assert.ok(out.endsWith(`${EXIT_STATUS}\n`), command.join(' '));
    if (command.length > 0 && command.join() !== 'generate') {
      assert.match(out, '\nExamples:\n');
      const examples = out.split('\nExamples:\n')[1]?.split('\n\n')[0] ?? '';
      assert.match(examples, `backup-maker ${command.join(' ')}`);
    }
    if (command.length === 1) assert.is((await maker(['help', ...command])).out, out);
  }
  assert.match((await maker(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
});

test('help: every flag of every command, with its variable', async () => {
  const program = createMaker({
    env: {},
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: { write: () => {} },
    onSignal: () => {},
  });
  const all: readonly { names: string; variable?: string; hidden?: boolean }[] = Object.values(GROUPS).flat();
  const seen = new Set<string>();
  for (const command of program.commands) {
    const flags = all.filter(({ names }) => command.options.some((option) => option.flags === names));
    if (flags.length === 0) continue;
    const out = (await maker([command.name(), '--help'])).out.replace(/\s+/g, ' ');
    for (const { names, variable, hidden } of flags) {
      seen.add(names);
      const hiddenHere = command.options.find((option) => option.flags === names)?.hidden === true;
      assert.is(out.includes(` ${names} `), !hiddenHere, `${command.name()} ${names}`);
      if (hiddenHere) assert.ok(hidden || all.some((flag) => flag.names === names && flag.hidden));
      else if (variable) assert.match(out, `[${variable}]`);
    }
  }
  assert.equal(
    [...seen].sort(),
    [...new Set(all.map(({ names }) => names))].sort(),
    'each flag is a flag of a command',
  );
});

/** Exit status and what it means, as the table of the guide has it. */
function tableOf(guide: string): Map<string, string> {
  const rows = guide.match(/^\| [\d, ]+ \| .* \|$/gm) ?? [];
  return new Map(
    rows.map((row) => {
      const [, status = '', meaning = ''] = row.split('|').map((cell) => cell.trim());
      return [status, meaning.replace(/`/g, '')];
    }),
  );
}

test('the exit status: the guide, the help and the code say the same', () => {
  const guide = tableOf(readFileSync(join(import.meta.dirname, '../../docs/client.md'), 'utf8'));
  const help = new Map(
    EXIT_STATUS.split('\n')
      .slice(2)
      .map((line) => {
        const [, status = '', meaning = ''] = /^ {2}([\d, ]+?) {2,}(.*)$/.exec(line) ?? [];
        return [status, meaning.replace(/"/g, '')];
      }),
  );
  assert.equal([...guide], [...help]);
  const documented = new Set([...guide.keys()].flatMap((status) => status.split(', ').map(Number)));
  const used = new Set(
    Object.values(CODES)
      .filter(({ severity }) => severity === 'error')
      .map(({ exitCode }) => exitCode),
  );
  for (const status of used) assert.ok(documented.has(status), `${status} is not documented`);
  const others = [...documented].filter((status) => !used.has(status as never));
  assert.equal(others, [0, 70, 129, 143], 'success, a bug, and two signals');
});

test.run();
