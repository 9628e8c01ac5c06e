/** What the very first start writes, so that a server that was given nothing can be logged in to. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { encodePassword } from '../access/password.ts';
import { expandHome, layoutOf, listFolder } from './folder.ts';

export interface BootstrapOptions {
  /** Configuration folder; made if it is not there. A leading `~` is the home folder. */
  path: string;
  namespace?: string;
  /** Address under which clients reach the server, for the commands to print. */
  url: string;
}

/** What was made. The two passwords are nowhere else: print them once, to a terminal, and forget them. */
export interface Bootstrapped {
  /** File that was written. */
  file: string;
  adminName: string;
  adminPassword: string;
  collectionId: string;
  /** Login name of the uploader's access key. */
  uploaderName: string;
  uploaderPassword: string;
  /** Prints a token of the administrator. */
  loginCommand: string;
  /** Tells the client of the server, the collection, and the access key that may only upload to it. */
  uploaderCommands: readonly string[];
  /** Make a key pair, and a first backup. */
  backupCommands: readonly string[];
}

const FILE = 'first-start.yaml';
const ADMIN = 'admin';
const MACHINES = 'backups';
const COLLECTION = 'first';

/**
 * Writes an administrator, a collection and an access key that may upload to it, unless the folder holds any
 * configuration: then it writes nothing, and returns undefined. Of two that start at once, one writes.
 *
 * The file is readable by its owner only, and is either there with all its content or not at all.
 */
export async function bootstrap({
  path,
  namespace = 'backup-repository',
  url,
}: BootstrapOptions): Promise<Bootstrapped | undefined> {
  const folder = expandHome(path);
  if (await isConfigured(path, namespace)) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // 24 letters of 64: nobody guesses that, and base64url needs no quoting in a shell.
  const adminPassword = randomBytes(18).toString('base64url');
  const uploaderPassword = randomBytes(18).toString('base64url');
  const [admin, uploader] = await Promise.all([
    encodePassword(adminPassword),
    encodePassword(uploaderPassword),
  ]);
  const file = join(folder, FILE);
  if (!(await writeNew(folder, file, content(admin, uploader)))) return undefined;
  const uploaderName = `${MACHINES}$${COLLECTION}`;
  return {
    file,
    adminName: ADMIN,
    adminPassword,
    collectionId: COLLECTION,
    uploaderName,
    uploaderPassword,
    loginCommand: loginCommand(url, ADMIN, adminPassword),
    uploaderCommands: [
      `export BM_URL=${quote(url)} BM_COLLECTION_ID=${COLLECTION}`,
      `export BM_ACCESS_KEY_USERNAME=${quote(uploaderName)} BM_ACCESS_KEY_PASSWORD=${quote(uploaderPassword)}`,
    ],
    backupCommands: [
      'backup-maker keygen --out backup.key',
      "backup-maker make --key backup.key.pub --cmd 'tar -cf - ./data'",
    ],
  };
}

async function isConfigured(path: string, namespace: string): Promise<boolean> {
  const layout = layoutOf(path, namespace);
  if (layout === 'original') return true;
  try {
    const { files } = await listFolder({ path, namespace, layout, encoding: 'base64' });
    return files.length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function content(adminPassword: string, uploaderPassword: string): string {
  const apiVersion = 'backups.riotkit.org/v1alpha1';
  const documents = [
    {
      apiVersion,
      kind: 'BackupUser',
      metadata: { name: ADMIN },
      spec: { password: adminPassword, roles: ['systemAdmin'] },
    },
    {
      apiVersion,
      kind: 'BackupUser',
      metadata: { name: MACHINES },
      spec: {
        accessKeys: [
          {
            name: COLLECTION,
            password: uploaderPassword,
            objects: [{ type: 'collection', name: COLLECTION, roles: ['backupUploader'] }],
          },
        ],
      },
    },
    {
      apiVersion,
      kind: 'BackupCollection',
      metadata: { name: COLLECTION },
      spec: {
        description: 'The first collection',
        filenameTemplate: 'first-${version}.backup',
        maxBackupsCount: 7,
        maxOneVersionSize: '10G',
        maxCollectionSize: '70G',
        strategyName: 'fifo',
        accessControl: [{ userName: MACHINES, roles: ['backupUploader'] }],
      },
    },
  ];
  const head =
    '# Written at the first start. Change it, or put other files beside it: changes apply without a restart.\n' +
    '# A new password: backup-repository encode-password\n';
  return head + documents.map((document) => stringify(document)).join('---\n');
}

/** Writes a file that must not exist yet; false if it does. */
async function writeNew(folder: string, file: string, text: string): Promise<boolean> {
  const temporary = join(folder, `.${FILE}.${randomBytes(6).toString('hex')}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Unlike a renaming, a link never replaces what is there.
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
  return true;
}

/** The password goes through standard input: arguments are visible to every process of the machine. */
function loginCommand(url: string, username: string, password: string): string {
  const body = JSON.stringify({ username, password });
  return `printf %s ${quote(body)} | curl -fsS -H 'Content-Type: application/json' --data-binary @- ${quote(`${url}/api/stable/auth/login`)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
