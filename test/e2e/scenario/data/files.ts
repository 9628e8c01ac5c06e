/** Folders on volumes: an SQLite database, and files with all that files have. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_CLIENT_IMAGE } from '../../../../src/expand/procedure.ts';
import { podmanOutput, RUN_OPTIONS } from '../../containers/podman.ts';
import { folderWith, succeed } from '../../sandbox.ts';
import { sha256 } from '../api.ts';
import { APPLICATION_USER, AS_APPLICATION, type Data, MAKE, RESTORE } from './data.ts';

const CLAIM = 'app-data';

export async function filesData(): Promise<Data> {
  const folder = folderWith();
  mkdirSync(join(folder, 'uploads/empty'), { recursive: true });
  for (let index = 0; index < 12; index++)
    writeFileSync(join(folder, `uploads/photo ${index}`), `photo ${index}`);
  writeFileSync(join(folder, '-n Grüße ☕'), Buffer.from([0, 255, 10]));
  symlinkSync('uploads/photo 1', join(folder, 'link'));
  chmodSync(folder, 0o750);
  chmodSync(join(folder, 'uploads/photo 0'), 0o600);
  chmodSync(join(folder, 'uploads/empty'), 0o750);
  giveToApplication(folder);
  return {
    params: { claim: CLAIM },
    secretParams: {},
    claims: { [CLAIM]: folder },
    podTemplate: AS_APPLICATION,
    hosts: [],
    scripts: {
      backup: `#!/bin/sh\nset -e\n${MAKE} -c "tar -C /data -cf - ."\n`,
      restore: `#!/bin/sh\nset -e\numask 0002\n${RESTORE} -c "cat > /tmp/archive; find /data -mindepth 1 -maxdepth 1 -exec rm -r {} +; tar -C /data -xpf /tmp/archive"\n`,
    },
    change: async (text) => {
      writeFileSync(join(folder, `uploads/${text}`), text);
      writeFileSync(join(folder, 'uploads/photo 7'), text);
      const [oldest = ''] = readdirSync(join(folder, 'uploads')).filter((name) => /^photo [2-5]$/.test(name));
      rmSync(join(folder, 'uploads', oldest));
      giveToApplication(folder);
    },
    state: async () => listOf(folder),
    version: async () => '',
  };
}

export async function sqliteData(): Promise<Data> {
  const folder = folderWith();
  const file = join(folder, 'app.db');
  const sqlite = (sql: string) => {
    const printed = succeed('sqlite3', ['-init', '/dev/null', '-batch', '-bail', file], { input: sql });
    giveToApplication(folder);
    return printed;
  };
  sqlite(
    `PRAGMA journal_mode=WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, bytes BLOB);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
     INSERT INTO notes (text, bytes) SELECT 'note ' || i, randomblob(32) FROM n;`,
  );
  return {
    params: { claim: CLAIM, path: '/data/app.db' },
    secretParams: {},
    claims: { [CLAIM]: folder },
    podTemplate: AS_APPLICATION,
    hosts: [],
    scripts: {
      backup: `#!/bin/sh\nset -e\n${MAKE} -c "sqlite3 /data/app.db .dump"\n`,
      restore: `#!/bin/sh\nset -e\n${RESTORE} -c "sqlite3 /data/app.db"\n`,
    },
    change: async (text) => {
      sqlite(
        `INSERT INTO notes (text) VALUES ('${text}'); UPDATE notes SET text = '${text}, too' WHERE id = 7;
         DELETE FROM notes WHERE id = (SELECT min(id) FROM notes WHERE id > 10); CREATE TABLE "${text}" (id);`,
      );
    },
    state: async () => sqlite('.dump'),
    version: () =>
      podmanOutput('run', '--rm', ...RUN_OPTIONS, '--entrypoint=sqlite3', DEFAULT_CLIENT_IMAGE, '--version'),
  };
}

/** Everything in the folder belongs to the application, as if it had made it. */
export function giveToApplication(folder: string): void {
  chownSync(folder, APPLICATION_USER, APPLICATION_USER);
  for (const name of readdirSync(folder, { recursive: true }) as string[])
    lchownSync(join(folder, name), APPLICATION_USER, APPLICATION_USER);
}

/** The folder and every path in it, with kind, mode, owner and content. */
function listOf(folder: string): string {
  return [...ownersOf(folder)]
    .map(([name, owner]) => {
      const path = join(folder, name);
      const status = lstatSync(path);
      if (status.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      return status.isDirectory() ? `${name}/ ${owner}` : `${name} ${owner} ${sha256(readFileSync(path))}`;
    })
    .join('\n');
}

/** User, group and mode of the folder and of every path in it. */
export function ownersOf(folder: string): Map<string, string> {
  const names = ['', ...(readdirSync(folder, { recursive: true }) as string[])].sort();
  return new Map(
    names.map((name) => {
      const { uid, gid, mode } = lstatSync(join(folder, name));
      return [name, `${uid}:${gid} ${(mode & 0o7777).toString(8)}`];
    }),
  );
}
