/** Backups that go wrong, and what is there afterwards: versions, processes, files, secrets. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { writeData } from '../../../../bench/client/data.ts';
import type { VersionMessage } from '../../../../src/wire/messages.ts';
import { collection, type Document } from '../../../server/http/documents.ts';
import { Client, type Ended } from './client.ts';
import { type Format, type Keys, makeKeys } from './keys.ts';
import { proofFolder } from './programs.ts';
import { newSecret, Repository } from './server.ts';

export interface Upload {
  collection: string;
  /** Runs in the shell; `$DATA` is a file with some mebibytes, `$SECRET` a secret. */
  command: string;
  format?: Format;
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Instead of the repository's. */
  url?: string;
  /** Called when the client has started. */
  during?: (client: Client) => Promise<void>;
}

export interface Uploaded extends Ended {
  remains: string[];
  versions: VersionMessage[];
}

export class UploadWorld {
  /** What `$DATA` names: 3 MiB that cannot be compressed. */
  readonly data = join(mkdtempSync(join(proofFolder, 'data-')), 'data');
  readonly keys: Keys;
  readonly repository: Repository;
  readonly #secret = newSecret();

  static async start(documents: readonly Document[]): Promise<UploadWorld> {
    const world = new UploadWorld(await makeKeys(), await Repository.start(documents));
    await writeData(world.data, 3 * 1024 * 1024, 'random');
    return world;
  }

  private constructor(keys: Keys, repository: Repository) {
    this.keys = keys;
    this.repository = repository;
  }

  env(url = this.repository.url): Record<string, string> {
    return {
      BM_URL: url,
      BM_AUTH_TOKEN: this.repository.token,
      BM_PASSPHRASE: this.keys.passphrase,
      BM_LOG_FORMAT: 'text',
      DATA: this.data,
      SECRET: this.#secret,
    };
  }

  /** Runs `make` to whatever end. */
  async make(upload: Upload): Promise<Uploaded> {
    const { collection: id, command, format = 'age', flags = [], env = {}, url, during } = upload;
    const client = new Client(['make', '-i', id, ...this.keys.seal[format], ...flags], {
      env: { ...this.env(url), BM_TIMEOUT: '600', ...env, BM_CMD: `${command} # ${this.#secret}` },
      secrets: [this.#secret, this.repository.token, this.keys.passphrase],
    });
    await during?.(client);
    const ended = await client.ended;
    const remains = await client.remains();
    client.forget();
    return { ...ended, remains, versions: await this.repository.versions(id) };
  }

  /** Holds the latest version, restored, against a file, byte for byte. @returns what is wrong, empty if nothing is. */
  async compare(id: string, version: number, file = this.data, format: Format = 'age'): Promise<string> {
    const env = { ...this.env(), FILE: file, BM_CMD: 'cmp - "$FILE"' };
    const args = ['restore', '-i', id, '-s', String(version), ...this.keys.open[format]];
    const { status, stderr } = await Client.run(args, { env });
    return status === 0 ? '' : `version ${version} of ${id} is not what was backed up: ${stderr}`;
  }
}

/** A collection with room. */
export function roomy(name: string, more: object = {}): Document {
  return collection(name, { maxOneVersionSize: '20G', maxCollectionSize: '200G', ...more });
}

/** Failed as it should, and nothing is there. */
export function assertNothingStored(
  { status, stderr, remains, versions }: Uploaded,
  exit: number,
  why: RegExp,
): void {
  assert.is(status, exit, stderr);
  assert.match(stderr, why);
  assert.equal(remains, []);
  assert.equal(versions, []);
}
