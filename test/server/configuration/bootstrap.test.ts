import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collectionObject, decideCanDo } from '../../../src/server/access/decide.ts';
import { login } from '../../../src/server/access/login.ts';
import { bootstrap } from '../../../src/server/configuration/bootstrap.ts';
import { worldOf } from '../access/accounts.ts';
import { folder, removeFolders, user } from './folders.ts';

const url = 'http://localhost:8080';

const test = suite('first start');
test.after.each(removeFolders);

test('writes a configuration that the server starts with, and passwords that let in whom they should', async () => {
  const at = folder();
  const path = join(at.path, 'new/folder');
  const made = await bootstrap({ path, url });
  assert.ok(made);
  assert.is(statSync(made.file).mode & 0o777, 0o600);
  assert.is(statSync(path).mode & 0o777, 0o700);
  assert.equal(readdirSync(path).length, 1, 'no temporary file stays');
  const text = readFileSync(made.file, 'utf8');
  assert.not.ok(text.includes(made.adminPassword) || text.includes(made.uploaderPassword));

  const provider = at.provider({ path });
  await provider.start();
  assert.equal(provider.problems(), []);
  const world = worldOf(provider.current());
  const enter = (username: string, password: string) => login({ username, password, requesterIP: '' }, world);
  assert.ok((await enter(made.adminName, made.adminPassword)).ok);
  assert.ok((await enter(made.uploaderName, made.uploaderPassword)).ok);
  assert.not.ok((await enter(made.uploaderName, made.adminPassword)).ok);

  const collection = provider.current().collections.get(made.collectionId);
  const machine = provider.current().users.get('backups');
  assert.ok(collection && machine);
  const uploader = { user: machine, accessKeyName: 'first', scope: null };
  assert.is(decideCanDo(uploader, 'file.upload', collectionObject(collection)), true);
  assert.is(decideCanDo(uploader, 'file.download', collectionObject(collection)), false);
});

test('prints commands that name the server, the accounts and the collection', async () => {
  const made = await bootstrap({ path: folder().path, url });
  assert.ok(made);
  assert.match(
    made.loginCommand,
    /^printf %s '\{"username":"admin".*curl .*'http:\/\/localhost:8080\/api\/stable\/auth\/login'$/,
  );
  const commands = made.uploaderCommands.join('\n');
  assert.match(commands, /BM_URL='http:\/\/localhost:8080' BM_COLLECTION_ID=first/);
  assert.ok(
    commands.includes(
      `BM_ACCESS_KEY_USERNAME='backups$first' BM_ACCESS_KEY_PASSWORD='${made.uploaderPassword}'`,
    ),
  );
  assert.match(made.backupCommands.join('\n'), /keygen.*\n.*make --key/);
});

test('writes nothing where there is any configuration, even a broken one', async () => {
  const original = folder();
  mkdirSync(join(original.path, 'backup-repository/backups.riotkit.org/v1alpha1/backupusers'), {
    recursive: true,
  });
  assert.is(await bootstrap({ path: original.path, url }), undefined);
  for (const text of [user('a'), 'broken: [', '']) {
    const at = folder({ 'mine.yaml': text });
    assert.is(await bootstrap({ path: at.path, url }), undefined);
    assert.equal(readdirSync(at.path), ['mine.yaml']);
  }
});

test('of many first starts at once, one writes', async () => {
  const at = folder();
  writeFileSync(join(at.path, 'backups.sqlite'), 'other things may lie in the folder');
  const results = await Promise.all([1, 2, 3, 4].map(() => bootstrap({ path: at.path, url })));
  assert.is(results.filter(Boolean).length, 1);
  assert.is(await bootstrap({ path: at.path, url }), undefined);
  assert.equal(readdirSync(at.path).sort(), ['backups.sqlite', 'first-start.yaml']);
});

test.run();
