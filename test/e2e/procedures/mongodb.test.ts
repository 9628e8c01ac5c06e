/**
 * With mongodump, mongorestore and FerretDB in $TOOLS_DIR: real round trips. Debian has none of them, so where they are
 * missing, only stand-ins that write down how they were called are run.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { loudly } from '../loudly.ts';
import { awkwardPassword, type Server, startFerretdb } from './databases.ts';
import { check, find, folder } from './machine.ts';
import { refuse, run, shells, succeed } from './scripts.ts';

const password = awkwardPassword;
const needed = ['mongodump', 'mongorestore', 'ferretdb'];
const missing = needed.filter((program) => find(program) === undefined);

// --- how the tools are called --------------------------------------------------------------------------------------

const calls = suite('mongodb: how the tools are called');

/** Folder with tools that copy their arguments and their configuration to where the test can read them. */
function standIns(): {
  programs: string[];
  seen: () => { args: string[]; config: Record<string, string> }[];
} {
  const bin = folder();
  const notes = folder();
  for (const name of ['mongodump', 'mongorestore']) {
    const script = [
      '#!/bin/sh',
      `call=$(mktemp -d ${notes}/call-XXXXXX)`,
      `printf '%s\\0' "$@" >"$call/args"`,
      `for arg; do case $arg in --config=*) cp "$(printf '%s' "$arg" | cut -c10-)" "$call/config" ;; esac; done`,
      `chmod -R a+rX "$call"`,
      `echo data`,
    ];
    writeFileSync(join(bin, name), `${script.join('\n')}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  chmodSync(bin, 0o755);
  const seen = () =>
    check('find', [notes, '-name', 'args'])
      .split('\n')
      .filter(Boolean)
      .map((file) => {
        const config = file.replace(/args$/, 'config');
        return {
          args: readFileSync(file, 'utf8').split('\0').slice(0, -1),
          config: existsSync(config) ? (parse(readFileSync(config, 'utf8')) as Record<string, string>) : {},
        };
      });
  return { programs: [bin, ...(process.env.PATH ?? '').split(':')], seen };
}

for (const shell of shells) {
  calls(`a password goes through a private file, unchanged (${shell})`, async () => {
    const { programs, seen } = standIns();
    const params = { hostname: 'db', user: `-o'dd user`, password, db: 'my*db', replicaSet: 'rs0' };
    const input = await succeed({ procedure: 'mongodb', operation: 'backup', params, programs, shell });
    await succeed({ procedure: 'mongodb', operation: 'restore', params, programs, shell, input });
    const all = seen();
    assert.is(all.length, 3, 'one dump, one trial load, one load');
    for (const { args, config } of all) {
      assert.is(config.password, password);
      assert.ok(args.includes('--host=rs0/db:27017'));
      assert.ok(args.includes(`--username=-o'dd user`));
      assert.ok(args.includes('--db=my*db') || args.includes('--nsInclude=my\\*db.*'));
      assert.not.ok(args.join(' ').includes(password));
    }
    assert.is(all.filter(({ args }) => args.includes('--dryRun')).length, 1);
  });
}

calls('a connection string goes through a private file, too', async () => {
  const { programs, seen } = standIns();
  const uri = 'mongodb+srv://backup:pa%22ss@cluster0.example.org/?readPreference=secondary';
  await succeed({ procedure: 'mongodb', operation: 'backup', params: { hostname: 'db', uri }, programs });
  const [call] = seen();
  assert.is(call?.config.uri, uri);
  assert.not.ok(call?.args.some((arg) => arg.includes('--host')));
});

calls('a password with a line break is refused rather than changed', async () => {
  const { programs, seen } = standIns();
  const params = { hostname: 'db', user: 'u', password: 'a\nb' };
  const refused = await refuse({ procedure: 'mongodb', operation: 'backup', params, programs });
  assert.match(refused.stderr, /line break/);
  assert.is(seen().length, 0);
});

calls.run();

// --- real round trips ------------------------------------------------------------------------------------------------

if (missing.length > 0) {
  console.log(
    `mongodb: ${missing.join(', ')} not found in $TOOLS_DIR: no round trip was made; the scripts were only checked ` +
      'with stand-ins, sh -n and shellcheck',
  );
} else {
  const test = suite('mongodb (FerretDB server)');
  let server: Server;
  let params: Record<string, string>;
  let connection: string[];

  test.before(
    loudly(async () => {
      server = await startFerretdb('backup', password);
      params = { hostname: '127.0.0.1', port: String(server.port), user: 'backup', password, db: 'app' };
      const config = join(folder(), 'config.yaml');
      writeFileSync(config, `password: ${JSON.stringify(password)}\n`);
      connection = [`--config=${config}`, '--host=127.0.0.1', `--port=${server.port}`, '--username=backup'];
      connection.push('--authenticationDatabase=admin', '--quiet');
    }),
  );
  test.after(() => server?.stop());

  /** Replaces a collection with documents of one id and one text. */
  function put(collection: string, values: string[]): void {
    const dump = folder();
    mkdirSync(join(dump, 'app'));
    writeFileSync(
      join(dump, 'app', `${collection}.bson`),
      Buffer.concat(values.map((value, id) => document(id, value))),
    );
    check('mongorestore', [...connection, '--drop', `--dir=${dump}`]);
  }

  /** {_id: <int32>, v: <string>} in BSON. */
  function document(id: number, value: string): Buffer {
    const text = Buffer.from(`${value}\0`);
    const head = Buffer.from('\x10_id\0....\x02v\0....', 'latin1');
    head.writeInt32LE(id, 5);
    head.writeInt32LE(text.length, 12);
    const body = Buffer.concat([head, text, Buffer.from([0])]);
    const length = Buffer.alloc(4);
    length.writeInt32LE(body.length + 4);
    return Buffer.concat([length, body]);
  }

  const content = () =>
    check('mongodump', [...connection, '--db=app', '--collection=items', '--out=-']) +
    check('mongodump', [...connection, '--db=app', '--collection=more', '--out=-']);

  function fill(): void {
    put('items', ['one', 'zwei ünï', '$three']);
    put(
      'more',
      Array.from({ length: 500 }, (_, index) => String(index).repeat(20)),
    );
  }

  // FerretDB keeps accounts in a way that the dump of all databases cannot load, so one database it is.
  for (const shell of shells) {
    test(`a load brings back what an archive held (${shell})`, async () => {
      fill();
      const before = content();
      assert.match(before, /zwei/);
      const input = await succeed({ procedure: 'mongodb', operation: 'backup', params, shell });
      put('items', ['other']);
      put('more', []);
      await succeed({ procedure: 'mongodb', operation: 'restore', params, shell, input });
      assert.is(content(), before);
    });
  }

  test('nothing is touched before the stream has ended', async () => {
    fill();
    const input = await succeed({ procedure: 'mongodb', operation: 'backup', params });
    put('items', ['other']);
    const changed = content();
    const killed = await run({
      ...{ procedure: 'mongodb', operation: 'restore', params, input },
      beforeEnd: async () => {
        await sleep(700);
        return 'kill';
      },
    });
    assert.is(killed.signal, 'SIGKILL');
    assert.is(content(), changed);

    const other = Buffer.from('PGDMP');
    await refuse({ procedure: 'mongodb', operation: 'restore', params, input: other });
    assert.is(content(), changed);
  });

  test('a wrong password fails', async () => {
    fill();
    const wrong = { ...params, password: 'wrong' };
    const refused = await refuse({ procedure: 'mongodb', operation: 'backup', params: wrong });
    assert.match(refused.stderr, /Check hostname, port, tls, user and password/);
    assert.is(refused.stdout.length, 0);
  });

  test.run();
}
