import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { replaceFile } from '../../src/client/save.ts';
import { folderOf } from './folder.ts';
import { content, failureOf } from './http/world.ts';

const test = suite('client: save');

const A = Buffer.from('a'.repeat(100_000));

test('the name appears with the whole content, and nothing else is left', async () => {
  const folder = folderOf();
  const path = join(folder, 'new');
  let during: string[] = [];
  await replaceFile(
    path,
    content(A, async () => (during = readdirSync(folder)), A),
  );
  assert.is(during.length, 1);
  assert.match(during[0] ?? '', /^\.new\.[0-9a-f]{12}\.part$/);
  assert.equal(readdirSync(folder), ['new']);
  assert.is(readFileSync(path).length, 200_000);
  assert.is(statSync(path).mode & 0o777, 0o600);
});

test('content that fails leaves what was there', async () => {
  const folder = folderOf();
  const path = join(folder, 'old');
  writeFileSync(path, 'before');
  const broken = new Error('broken');
  try {
    await replaceFile(path, content(A, broken));
    assert.unreachable();
  } catch (error) {
    assert.is(error, broken);
  }
  assert.equal(readdirSync(folder), ['old']);
  assert.is(readFileSync(path, 'utf8'), 'before');
});

test('a link stays one, and other names of the old file keep what they have', async () => {
  const folder = folderOf();
  mkdirSync(join(folder, 'elsewhere'));
  const file = join(folder, 'elsewhere/file');
  writeFileSync(file, 'before');
  linkSync(file, join(folder, 'other-name'));
  symlinkSync('elsewhere/file', join(folder, 'link'));
  await replaceFile(join(folder, 'link'), 'after');
  assert.is(readlinkSync(join(folder, 'link')), 'elsewhere/file');
  assert.is(readFileSync(file, 'utf8'), 'after');
  assert.is(readFileSync(join(folder, 'other-name'), 'utf8'), 'before');
});

test('places that cannot be written to', async () => {
  const folder = folderOf();
  writeFileSync(join(folder, 'file'), '');
  for (const [path, said] of [
    [folder, /it is a folder/],
    [join(folder, 'no/where'), /the folder does not exist/],
    [join(folder, 'file/below'), /the folder is a file/],
  ] as const) {
    const source = content(A);
    const { code, message } = await failureOf(replaceFile(path, source));
    assert.is(code, 'output-failed');
    assert.match(message, said);
    assert.is(source.state.given, 0, 'nothing was asked for');
  }
});

test.run();
