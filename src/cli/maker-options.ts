/** Flags and variables of `backup-maker` as what the client's functions take: files read, keys parsed, contradictions refused. */
import { readFile, realpath } from 'node:fs/promises';
import type { Action } from '../client/action.ts';
import { explain } from '../client/content.ts';
import { failure } from '../client/failure.ts';
import type { Credentials } from '../client/http/repository.ts';
import { type Identities, type Recipients, readIdentities, readRecipients } from '../crypto/keys.ts';
import type { MakerFlags } from './maker-flags.ts';

/** The value, or what to write to give it. @throws {UserError} `usage` */
export function required(value: string | undefined, flag: string, hint: string): string {
  if (value === undefined || value === '') throw failure('usage', `${flag} is missing`, hint);
  return value;
}

export function urlOf({ url }: MakerFlags): string {
  return required(url, '--url', 'export BM_URL=https://backups.example.org');
}

export function collectionOf({ collectionId }: MakerFlags): string {
  return required(collectionId, '--collection-id', 'export BM_COLLECTION_ID=app');
}

export function commandOf({ cmd }: MakerFlags): string {
  return required(cmd, '--cmd', "--cmd 'pg_dump -Fc -Z0 app', or the variable BM_CMD");
}

/** An access key if there is one, else a token. @throws {UserError} `usage` if there is neither, or half of one. */
export async function credentialsOf(flags: MakerFlags, env: NodeJS.ProcessEnv): Promise<Credentials> {
  const { accessKey, accessKeyFile, authToken, authTokenFile } = flags;
  const password =
    accessKeyFile === undefined
      ? env.BM_ACCESS_KEY_PASSWORD
      : await readSecret(accessKeyFile, '--access-key-file');
  if (accessKey) {
    if (password) return { kind: 'password', username: accessKey, password };
    throw failure(
      'usage',
      'an access key is given without its password',
      'export BM_ACCESS_KEY_PASSWORD=…, or --access-key-file <file that holds it>',
    );
  }
  const token =
    authTokenFile === undefined ? authToken : await readSecret(authTokenFile, '--auth-token-file');
  if (token) return { kind: 'token', token };
  throw failure(
    'usage',
    'nothing says who is asking: there is neither an access key nor a token',
    "export BM_ACCESS_KEY_USERNAME='user$key' BM_ACCESS_KEY_PASSWORD=…, or export BM_AUTH_TOKEN=…",
  );
}

/** Undefined if the user said, in one of the ways there are, that the data is not to be encrypted. @throws {UserError} */
export async function recipientsOf(flags: MakerFlags): Promise<Recipients | undefined> {
  const { encryption, key } = flags;
  const files = (key ?? []).filter((file) => file !== '');
  const recipient = (flags.recipient ?? []).filter((value) => value !== '');
  if (!encryption) {
    if (files.length > 0 || recipient.length > 0)
      throw failure(
        'usage',
        '--no-encryption excludes --key and --recipient, and both are given, as flags or as variables',
        'unset BM_PUBLIC_KEY_PATH BM_RECIPIENT, or BM_NO_ENCRYPTION',
      );
    return undefined;
  }
  const literal = recipient.filter((value) => /^age1/.test(value));
  const select = recipient.filter((value) => !/^age1/.test(value));
  if (files.length === 0 && literal.length === 0) {
    // The original's way of saying it.
    if (key !== undefined && select.length === 0) return undefined;
    throw failure(
      'usage',
      'nothing says for whom to encrypt',
      '--key backup.key.pub (backup-maker keygen makes one), --recipient age1…, or --no-encryption',
    );
  }
  const materials = await Promise.all(files.map((file) => readKey(file, '--key')));
  try {
    return await readRecipients([...materials, ...literal.map((value) => Buffer.from(`${value}\n`))], {
      select,
    });
  } catch (error) {
    throw located(error, [...files, ...(recipient.length > 0 ? ['--recipient'] : [])]);
  }
}

/** Undefined if no private key is given. @throws {UserError} */
export async function identitiesOf(flags: MakerFlags): Promise<Identities | undefined> {
  const files = [...(flags.privateKey ?? []), ...(flags.identity ?? [])].filter((file) => file !== '');
  if (!flags.encryption && files.length > 0)
    throw failure(
      'usage',
      '--no-encryption excludes --private-key, and both are given, as flags or as variables',
      'unset BM_PRIVATE_KEY_PATH, or BM_NO_ENCRYPTION',
    );
  if (files.length === 0) return undefined;
  const passphrase =
    flags.passphraseFile === undefined
      ? flags.passphrase
      : await readSecret(flags.passphraseFile, '--passphrase-file');
  const materials = await Promise.all(files.map((file) => readKey(file, '--private-key')));
  try {
    return await readIdentities(materials, { ...(passphrase && { passphrase }) });
  } catch (error) {
    throw located(error, files);
  }
}

/** @throws {UserError} `usage` if the file to write is one of those that keys and secrets are read from. */
export async function refuseKeyFile(path: string, flags: MakerFlags): Promise<void> {
  const { privateKey = [], identity = [], passphraseFile, authTokenFile, accessKeyFile, caFile } = flags;
  const target = await realpath(path).catch(() => undefined);
  for (const file of [...privateKey, ...identity, passphraseFile, authTokenFile, accessKeyFile, caFile]) {
    if (file === undefined || target === undefined) continue;
    if ((await realpath(file).catch(() => undefined)) === target)
      throw failure('usage', `--save-path ${path} would overwrite a file that this command reads`);
  }
}

/** What protects a new OpenPGP key; empty: nothing does. */
export async function passphraseOf(env: NodeJS.ProcessEnv): Promise<string> {
  const { BM_PASSPHRASE: passphrase = '', BM_PASSPHRASE_FILE: file = '' } = env;
  return passphrase === '' && file !== '' ? readSecret(file, 'BM_PASSPHRASE_FILE') : passphrase;
}

/** zstd's level, or undefined not to compress. */
export function levelOf({ compress }: MakerFlags): number | undefined {
  return compress === 'none' ? undefined : Number(compress.split(':')[1] ?? 1);
}

export function timeoutOf({ timeout }: MakerFlags): { timeoutMs?: number } {
  return timeout ? { timeoutMs: timeout * 1000 } : {};
}

/** The ledger's action that this process is a run of; rendered Jobs say so. @throws {UserError} `usage` if half is said. */
export function actionOf(env: NodeJS.ProcessEnv): Action | undefined {
  const { BM_ACTION_NAME: name, BM_ACTION_NAMESPACE: namespace, BM_ACTION_RUN_ID: runId } = env;
  if (!name) {
    if (namespace || runId)
      required(
        undefined,
        'the name of the action',
        'export BM_ACTION_NAME=…, or unset BM_ACTION_NAMESPACE BM_ACTION_RUN_ID',
      );
    return undefined;
  }
  return {
    name,
    namespace: required(namespace, 'the namespace of the action', 'export BM_ACTION_NAMESPACE=…'),
    runId: runId || '1',
    retry: /^(true|yes|1)$/i.test(env.BM_ACTION_RETRY ?? ''),
  };
}

/** PEM of additional authorities. */
export async function caOf({ caFile }: MakerFlags): Promise<{ ca?: Buffer }> {
  return caFile === undefined ? {} : { ca: await readInput(caFile, '--ca-file', 'usage') };
}

async function readSecret(file: string, flag: string): Promise<string> {
  const text = (await readInput(file, flag, 'usage')).toString('utf8').replace(/\r?\n$/, '');
  if (text === '') throw failure('usage', `${flag}: ${file} is empty`);
  return text;
}

async function readKey(file: string, flag: string): Promise<Buffer> {
  const material = await readInput(file, flag, 'bad-key');
  if (material.length === 0) throw failure('bad-key', `${flag}: ${file} is empty`);
  return material;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'there is no permission to read it',
  EISDIR: 'it is a folder',
};

async function readInput(file: string, flag: string, code: 'usage' | 'bad-key'): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code: reason = '', message } = error as NodeJS.ErrnoException;
    throw failure(code, `${flag}: cannot read ${file}: ${REASONS[reason] ?? message}`, undefined, error);
  }
}

/** Key errors do not know which file the material came from. */
function located(error: unknown, files: readonly string[]): unknown {
  const explained = explain(error);
  if (!(explained instanceof Error) || explained === error) return error;
  const { problem } = explained as ReturnType<typeof failure>;
  if (!problem || files.length === 0) return explained;
  return failure(problem.code, `${files.join(', ')}: ${problem.message}`, problem.proposal, error);
}
