import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { check, find } from './machine.ts';

const root = join(import.meta.dirname, '../../..');
const scripts = globSync('procedures/*/*.sh', { cwd: root }).map((file) => join(root, file));
const test = suite('procedures: scripts');

/** The programs that these tests cannot do without; test/e2e/install-databases.sh installs them. */
const tools = [
  ...['busybox', 'dash', 'shellcheck', 'setpriv', 'tar', 'setfattr'],
  ...[
    'postgres',
    'pg_dump',
    'pg_restore',
    'mariadbd',
    'mariadb',
    'mariadb-dump',
    'redis-server',
    'redis-cli',
  ],
  ...['sqlite3', 'etcd', 'etcdctl', 'etcdutl'],
];

test('everything that these tests need is installed', () => {
  assert.equal(
    tools.filter((program) => find(program) === undefined),
    [],
    'run test/e2e/install-databases.sh',
  );
});

test('shellcheck has nothing to say', () => {
  assert.is(scripts.length, 16);
  check('shellcheck', ['--shell=sh', '--severity=style', ...scripts]);
});

test('what shellcheck may not say has a reason beside it', () => {
  for (const script of scripts) {
    for (const line of readFileSync(script, 'utf8').split('\n')) {
      if (line.includes('shellcheck disable')) assert.match(line, /disable=[SC0-9,]+ # \S+ \S+/, script);
    }
  }
});

test('the shells of the stock images can parse them', () => {
  for (const script of scripts) {
    check('dash', ['-n', script]);
    check('busybox', ['sh', '-n', script]);
    check('bash', ['--posix', '-n', script]);
  }
});

test.run();
