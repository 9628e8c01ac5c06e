import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../loudly.ts';
import { awkwardPassword, redis, type Server, startRedis } from './databases.ts';
import { refuse, run, shells, succeed } from './scripts.ts';

const test = suite('redis');
const password = awkwardPassword;
let server: Server;
let other: Server;
let params: Record<string, string>;

const cli = (commands: string, on = server) => redis({ port: on.port, password }, commands);

/** Everything that a client could ask for, of every key in every database that is used. */
const look = `local found = {}
  for number = 0, 15 do
    redis.call("SELECT", number)
    for _, key in ipairs(redis.call("KEYS", "*")) do
      found[#found + 1] = number .. " " .. key .. " " .. redis.sha1hex(redis.call("DUMP", key)) .. " " .. redis.call("PEXPIRETIME", key)
    end
  end
  table.sort(found)
  return found`;
const content = (on = server) => cli(`EVAL ${JSON.stringify(look.replaceAll('\n', ' '))} 0`, on);

function fill(on = server): void {
  cli(
    [
      'FLUSHALL',
      String.raw`SET "key with \" $x \n\x00\xff" "value\r\n\x00"`,
      'RPUSH list a b c',
      'HSET hash field value',
      'ZADD sorted 1.5 member',
      'XADD stream 1-1 f v',
      'SET expiring soon PXAT 4102444800123',
      "EVAL \"for i = 1, 3000 do redis.call('SET', 'n:' .. i, string.rep(i, 20)) end\" 0",
      'SELECT 7',
      'SET seven 7',
      String.raw`FUNCTION LOAD REPLACE "#!lua name=lib\nredis.register_function('greet', function() return 'hello' end)"`,
    ].join('\n'),
    on,
  );
}

test.before(
  loudly(async () => {
    server = await startRedis(password);
    other = await startRedis(password);
    params = { hostname: '127.0.0.1', port: String(server.port), password };
  }),
);
test.after(async () => {
  await server?.stop();
  await other?.stop();
});

for (const shell of shells) {
  test(`a load brings back every key, whatever its bytes, type, database and expiry time (${shell})`, async () => {
    fill();
    const before = content();
    assert.ok(before.split('\n').length > 3000);
    const dump = await succeed({ procedure: 'redis', operation: 'backup', params, shell });
    assert.is(dump.subarray(0, 5).toString(), 'REDIS');

    cli('DEL list\nSET hash overwritten\nSET later 1\nSELECT 3\nSET three 3\nFUNCTION FLUSH');
    await succeed({ procedure: 'redis', operation: 'restore', params, shell, input: dump });
    // An expiry time is worked out from what is left of it, so it is as much later as the machine was slow.
    const rounded = (text: string) =>
      text.replaceAll(/(410244\d{4})\d{3}/g, (_all, s) => String(Math.round(s / 100)));
    assert.is(rounded(content()), rounded(before));
    assert.is(cli('FCALL greet 0'), 'hello');

    const elsewhere = { ...params, port: String(other.port) };
    await succeed({ procedure: 'redis', operation: 'restore', params: elsewhere, shell, input: dump });
    assert.is(rounded(content(other)), rounded(before));
  });
}

test('nothing is touched before the stream has ended', async () => {
  fill();
  const input = await succeed({ procedure: 'redis', operation: 'backup', params });
  cli('DEL list');
  const changed = content();
  const killed = await run({
    ...{ procedure: 'redis', operation: 'restore', params, input },
    beforeEnd: async () => {
      await sleep(700);
      return 'kill';
    },
  });
  assert.is(killed.signal, 'SIGKILL');
  assert.is(content(), changed);

  const half = input.subarray(0, Math.floor(input.length / 2));
  const torn = await refuse({ procedure: 'redis', operation: 'restore', params, input: half });
  assert.match(torn.stderr, /no RDB file that this version can read/);
  assert.is(content(), changed);
});

test('a target that refuses one command keeps all its keys', async () => {
  fill();
  const input = await succeed({ procedure: 'redis', operation: 'backup', params });
  cli(`ACL SETUSER limited on >limited_password ~* +@all -restore\nDEL list`);
  const changed = content();
  const limited = { ...params, user: 'limited', password: 'limited_password' };
  const refused = await refuse({ procedure: 'redis', operation: 'restore', params: limited, input });
  assert.match(refused.stderr, /load failed in one transaction/);
  assert.is(content(), changed);
});

test('a replica is not loaded', async () => {
  fill();
  const input = await succeed({ procedure: 'redis', operation: 'backup', params });
  cli(`REPLICAOF 127.0.0.1 ${server.port}`, other);
  const elsewhere = { ...params, port: String(other.port) };
  const refused = await refuse({ procedure: 'redis', operation: 'restore', params: elsewhere, input });
  assert.match(refused.stderr, /Set hostname to the primary/);
  cli('REPLICAOF NO ONE', other);
});

test('a wrong password fails with nothing that looks like a snapshot', async () => {
  for (const shell of shells) {
    const wrong = { ...params, password: 'wrong' };
    const refused = await refuse({ procedure: 'redis', operation: 'backup', params: wrong, shell });
    assert.is(refused.stdout.length, 0);
    assert.match(refused.stderr, /Check user and password/);
  }
});

test.run();
