import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodePassword,
  explainEncodedPassword,
  PasswordQueueFull,
  verifyPassword,
} from '../../../src/server/access/password.ts';
import { cpuMsSince, cpuTime } from '../../cpu-time.ts';
import { cheapPassword } from './accounts.ts';

/** The example of the original's documentation. */
const ADMIN =
  'JGFyZ29uMmlkJHY9MTkkbT02NTUzNix0PTEscD00JHpuVy9IT2Y4Q3RkdStvNSttYlR2REE9PSRaZlVpRGl2QWV2T2RZNndKYWJBb0FQdmM1a1hsemxDNkg2OFY2dGVmNUY0PQ==';

const decode = (text: string) => Buffer.from(text, 'base64').toString();
const encode = (text: string) => Buffer.from(text).toString('base64');

const test = suite('passwords');

test('the password of the original example is admin, and nothing else', async () => {
  assert.is(await verifyPassword(ADMIN, 'admin'), true);
  assert.is(await verifyPassword(ADMIN, 'Admin'), false);
  assert.is(await verifyPassword(`${ADMIN}\n`, 'admin'), true, 'a file ends with a line break');
});

test('what is encoded here has the form of the original, a fresh salt, and can be checked', async () => {
  const [one, two] = await Promise.all([encodePassword('ä secret'), encodePassword('ä secret')]);
  assert.not.equal(one, two);
  assert.match(decode(one), /^\$argon2id\$v=19\$m=65536,t=1,p=4\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
  assert.is(await verifyPassword(one, 'ä secret'), true);
});

test('the form that other tools print is accepted', async () => {
  const phc = decode(cheapPassword('x'))
    .replaceAll('=$', '$')
    .replaceAll('=', (_, at, all) => (at > 30 ? '' : all[at]));
  assert.match(phc, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[^=]+\$[^=]+$/);
  assert.is(await verifyPassword(phc, 'x'), true);
});

test('no password and an unreadable one are never right, and say why', async () => {
  assert.is(await verifyPassword(undefined, ''), false);
  const inner = decode(cheapPassword('x'));
  const cases: [string, RegExp][] = [
    ['admin', /not an encoded password/],
    ['', /not an encoded password/],
    [encode(inner.replace('argon2id', 'argon2i')), /argon2id/],
    [encode(inner.replace('v=19', 'v=16')), /version 19/],
    [encode(inner.replace('m=8', 'm=99999999')), /more than/],
    [encode(inner.replace('t=1', 't=0')), /unreadable/],
    [encode(inner.replace(/\$[^$]+$/, '$AAAA')), /unusual length/],
    [encode(inner.replace(/\$[^$]+$/, '$')), /not an encoded/],
    [encode(`${inner}$more`), /not an encoded/],
  ];
  for (const [encoded, reason] of cases) {
    assert.match(explainEncodedPassword(encoded) ?? '', reason, decode(encoded));
    assert.not.match(explainEncodedPassword(encoded) ?? '', encoded || 'nothing');
  }
  assert.is(await verifyPassword(cases[3]?.[0], 'x'), false);
  assert.is(explainEncodedPassword(ADMIN), undefined);
});

test('an unknown account takes as much work as a known one', async () => {
  const time = async (encoded: string | undefined) => {
    const start = cpuTime();
    await verifyPassword(encoded, 'wrong');
    return cpuMsSince(start);
  };
  const known = Math.min(await time(ADMIN), await time(ADMIN));
  const unknown = Math.min(await time(undefined), await time('unreadable'));
  assert.ok(unknown > known / 3 && unknown < known * 3, `${unknown} ms against ${known} ms`);
});

test('a flood of logins is refused rather than queued for ever, and leaves the server working', async () => {
  const cheap = cheapPassword('x');
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => verifyPassword(cheap, 'x')));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.is(results.filter((result) => result.status === 'fulfilled' && result.value).length, 66);
  assert.is(refused.length, 34);
  assert.ok(refused.every(({ reason }) => reason instanceof PasswordQueueFull));
  assert.is(await verifyPassword(cheap, 'x'), true);
});

test.run();
