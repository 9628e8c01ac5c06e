/** A Redis for each row, because a restore replaces all that is in it. */

import { freePort } from '../../../free-port.ts';
import { output, startService } from '../../containers/service.ts';
import { DATABASE_PASSWORD, type Data, MAKE, RESTORE } from './data.ts';

const HOST = 'redis.databases.svc.cluster.local';
const PASSWORD = DATABASE_PASSWORD.replaceAll('"', "'");

const STATE = `
  local keys, lines = redis.call('KEYS', '*'), {}
  table.sort(keys)
  for _, key in ipairs(keys) do
    local kind = redis.call('TYPE', key).ok
    local value = kind == 'hash' and table.concat(redis.call('HGETALL', key), ',') or redis.call('GET', key)
    lines[#lines + 1] = key .. ' ' .. kind .. ' ' .. redis.sha1hex(value) .. ' ' .. (redis.call('PTTL', key) >= 0 and 'expires' or 'stays')
  end
  return table.concat(lines, '\\n')`;

export async function redisData(image: string): Promise<Data> {
  const port = await freePort();
  const service = await startService({
    name: 'redis',
    image,
    command: [
      'sh',
      '-ec',
      `printf 'port %s\\nbind 127.0.0.1\\ndir /data\\nsave ""\\nrepl-diskless-sync-delay 0\\nrequirepass "%s"\\n' "$PORT" "$PASSWORD" > /data/redis.conf
       exec redis-server /data/redis.conf`,
    ],
    env: { PORT: String(port), PASSWORD },
    options: ['--user=65534:65534', '--tmpfs=/data:mode=1777'],
    ready: async (made) => {
      const { stdout } = await made.exec(['redis-cli', '-p', String(port), 'PING'], {
        env: { REDISCLI_AUTH: PASSWORD },
      });
      if (stdout.trim() !== 'PONG') throw new Error(stdout);
    },
  });
  const redis = (commands: string) =>
    output(service, ['redis-cli', '-e', '-p', String(port)], {
      env: { REDISCLI_AUTH: PASSWORD },
      input: `${commands}\n`,
    });
  await redis(
    [
      ...Array.from({ length: 200 }, (_, index) => `SET key:${index} "value \\x00\\xff ${index}"`),
      'SET short-lived "x" EX 10000',
      'HSET hash a 1 b 2',
    ].join('\n'),
  );
  const login = 'export REDISCLI_AUTH="{{ .Params.password }}"';
  return {
    params: { hostname: HOST, port: String(port) },
    secretParams: { 'Params.password': PASSWORD },
    hosts: [HOST],
    scripts: {
      backup: `#!/bin/sh\nset -e\n${login}\n${MAKE} -c "redis-cli -h {{ .Params.hostname }} -p {{ .Params.port }} --rdb -"\n`,
      restore: `#!/bin/sh\nset -e\n${RESTORE} -c "cat > /dev/null"\n`,
    },
    change: (text) =>
      redis(`SET "${text}" 1\nDEL key:5\nHSET hash "${text}" 3\nSET key:7 "${text}"`).then(() => undefined),
    state: () =>
      output(service, ['redis-cli', '-e', '-p', String(port), 'EVAL', STATE, '0'], {
        env: { REDISCLI_AUTH: PASSWORD },
      }),
    version: async () => (await redis('INFO server')).match(/redis_version:(\S+)/)?.[1] ?? '',
    stop: () => service.stop(),
  };
}
