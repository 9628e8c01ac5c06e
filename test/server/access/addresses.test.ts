import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Block,
  clientAddress,
  clientNetwork,
  isAllowedAddress,
  parseBlock,
} from '../../../src/server/access/addresses.ts';

const blocks = (...texts: string[]) => texts.map((text) => parseBlock(text) as Block);

const test = suite('addresses');

test('single addresses and blocks, IPv4, IPv6 and the one written as the other', () => {
  const table: [string[], string, boolean][] = [
    [['1.2.3.4'], '1.2.3.4', true],
    [['1.2.3.4'], '1.2.3.5', false],
    [['1.2.3.4'], '::ffff:1.2.3.4', true],
    [['1.2.3.4'], '::ffff:102:304', true],
    [['::ffff:1.2.3.4'], '1.2.3.4', true],
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.1.1', true],
    [['::ffff:10.0.0.0/104'], '10.200.0.1', true],
    [['::ffff:10.0.0.0/104'], '11.0.0.1', false],
    [['0.0.0.0/0'], '8.8.8.8', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['::/0'], '8.8.8.8', false],
    [['2001:db8::/32'], '2001:DB8:1::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['fe80::1'], 'fe80::1%eth0', true],
    [['9.9.9.9', '1.2.3.0/24'], '1.2.3.9', true],
    [['1.2.3.4'], '', false],
    [['1.2.3.4'], 'localhost', false],
  ];
  for (const [list, address, allowed] of table) {
    assert.is(isAllowedAddress(list, address), allowed, `${address} in ${list}`);
  }
});

test('no list allows all; a list that cannot be read allows nobody', () => {
  assert.is(isAllowedAddress(undefined, '1.2.3.4'), true);
  assert.is(isAllowedAddress([], ''), true);
  for (const text of [
    '',
    '*',
    '1.2.3',
    '1',
    '010.0.0.1',
    '0x7f.1',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/',
    '1.2.3.4/8/8',
    '::1/129',
    '::ffff:10.0.0.0/8',
  ]) {
    assert.is(parseBlock(text), undefined, text);
    assert.is(isAllowedAddress([text], '1.2.3.4'), false, text);
  }
});

test('the client is who the last untrusted hop says, and only a trusted proxy is believed', () => {
  const trusted = blocks('10.0.0.0/8', '::1');
  const table: [string | undefined, string | string[] | undefined, string][] = [
    ['1.1.1.1', undefined, '1.1.1.1'],
    // A stranger may write what he likes.
    ['1.1.1.1', '10.0.0.9', '1.1.1.1'],
    ['10.0.0.1', '2.2.2.2', '2.2.2.2'],
    ['::ffff:10.0.0.1', '2.2.2.2', '2.2.2.2'],
    ['::1', '2.2.2.2', '2.2.2.2'],
    // The client put an address in front; the proxy appended the real one.
    ['10.0.0.1', '9.9.9.9, 2.2.2.2', '2.2.2.2'],
    ['10.0.0.1', ['9.9.9.9', '2.2.2.2, 10.0.0.2'], '2.2.2.2'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '2.2.2.2:51000', '2.2.2.2'],
    ['10.0.0.1', '[2001:db8::7]:443', '2001:db8::7'],
    ['10.0.0.1', '9.9.9.9, unknown', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    [undefined, '2.2.2.2', ''],
  ];
  for (const [socket, header, expected] of table) {
    assert.is(clientAddress(socket, header, trusted), expected, `${socket} ${header}`);
  }
  assert.is(clientAddress('10.0.0.1', '2.2.2.2', []), '10.0.0.1', 'nobody is trusted unless said');
  assert.is(clientAddress('10.0.0.1', '10.0.0.2,'.repeat(1e5), trusted), '10.0.0.1');
});

test('a client is an address of IPv4 or a network of IPv6', () => {
  assert.is(clientNetwork('198.51.100.1'), '198.51.100.1');
  assert.is(clientNetwork('2001:db8::1'), '2001:db8:0:0::/64');
  assert.is(clientNetwork('2001:db8:0:0:ffff:ffff:ffff:ffff'), clientNetwork('2001:db8::1'));
  assert.is.not(clientNetwork('2001:db8:0:1::1'), clientNetwork('2001:db8::1'));
  assert.is(clientNetwork(''), '');
});

test.run();
