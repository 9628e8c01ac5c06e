/** A client that remembers every version whose storage was acknowledged, and can ask for all of them again. */
import { createHash, randomBytes } from 'node:crypto';
import type { ClientRequest } from 'node:http';
import * as assert from 'uvu/assert';
import { HEADERS } from '../../../../src/wire/headers.ts';
import { pathOf } from '../../../../src/wire/routes.ts';
import { eventually } from '../../../eventually.ts';
import { type Answer, begin, type Call, call, underWay } from '../../../server/http/client.ts';
import { ACCOUNTS, collection, type Document, PASSWORD } from '../../../server/http/documents.ts';
import type { Program } from './programs.ts';

export const MIB = 1024 * 1024;
/** A lease that nobody gives back runs out after thirty seconds. */
const WELL_BEFORE_LEASE_MS = 20_000;

/** The accounts of the behavioural suite, and collections that take anything. */
export function documents(...names: string[]): Document[] {
  const roomy = { allowUnencrypted: true, maxBackupsCount: 500, maxOneVersionSize: '200M' };
  return [...ACCOUNTS, ...names.map((name) => collection(name, { ...roomy, maxCollectionSize: '90G' }))];
}

export interface Upload {
  outgoing: ClientRequest;
  promise: Promise<Answer>;
}

interface Known {
  collectionId: string;
  version: number;
  sha256: string;
}

export class Repository {
  readonly known: Known[] = [];
  token = '';
  address: string;

  constructor(program: Program) {
    this.address = program.address;
  }

  static async at(program: Program): Promise<Repository> {
    const repository = new Repository(program);
    repository.token = await repository.login();
    return repository;
  }

  async login(address = this.address): Promise<string> {
    const answer = await call('POST', `${address}${pathOf('login', {})}`, {
      body: JSON.stringify({ username: 'admin', password: PASSWORD }),
      headers: { 'content-type': 'application/json' },
    });
    assert.is(answer.status, 200, answer.bytes.toString());
    return (answer.json as { data: { token: string } }).data.token;
  }

  get(path: string, address = this.address): Promise<Answer> {
    return call('GET', `${address}${path}`, { token: this.token });
  }

  /** Uploads, and remembers it if it was acknowledged. */
  async upload(collectionId: string, body: Buffer = randomBytes(1000), address?: string): Promise<Answer> {
    const upload = this.begin(collectionId, {}, address);
    upload.outgoing.end(body);
    const answer = await upload.promise;
    if (answer.status === 200) this.remember(collectionId, answer, body);
    return answer;
  }

  /** Uploads what must be accepted. Resolves to its number. */
  async stored(collectionId: string, body?: Buffer, address?: string): Promise<number> {
    const answer = await this.upload(collectionId, body, address);
    assert.is(answer.status, 200, answer.bytes.toString());
    return this.known.at(-1)?.version ?? 0;
  }

  /** Begins an upload, chunked, to be written to by the caller. */
  begin(collectionId: string, options: Call = {}, address = this.address): Upload {
    const url = `${address}${pathOf('upload', { collectionId })}`;
    return begin('POST', url, { token: this.token, ...options });
  }

  /** Begins an upload that has its lease, and sends so many bytes of it. */
  async underWay(collectionId: string, bytes: Buffer, address = this.address): Promise<Upload> {
    const url = `${address}${pathOf('upload', { collectionId })}`;
    const upload = await underWay(url, { token: this.token });
    await write(upload.outgoing, bytes);
    return upload;
  }

  /** Waits until the collection takes an upload again. Resolves to the milliseconds that it took. */
  async freeAgain(collectionId: string): Promise<number> {
    const started = performance.now();
    const isFree = async () => (await this.upload(collectionId)).status === 200;
    await eventually(`${collectionId} is free again`, isFree, 50, WELL_BEFORE_LEASE_MS);
    return Math.round(performance.now() - started);
  }

  remember(collectionId: string, answer: Answer, body: Buffer): void {
    const { versionNumber } = (answer.json as { data: { version: { versionNumber: number } } }).data.version;
    const sha256 = createHash('sha256').update(body).digest('hex');
    this.known.push({ collectionId, version: versionNumber, sha256 });
  }

  downloadPath(collectionId: string, version: number): string {
    return pathOf('download', { collectionId, version });
  }

  async listed(collectionId: string, address?: string): Promise<number[]> {
    const answer = await this.get(pathOf('versions', { collectionId }), address);
    assert.is(answer.status, 200, answer.bytes.toString());
    const { versions } = (answer.json as { data: { versions: { versionNumber: number }[] } }).data;
    return versions.map(({ versionNumber }) => versionNumber);
  }

  /** Every acknowledged version is there, byte for byte, and no other one is listed. */
  async nothingLost(): Promise<void> {
    for (const { collectionId, version, sha256 } of this.known) {
      const answer = await this.get(this.downloadPath(collectionId, version));
      assert.is(answer.status, 200, `${collectionId} ${version}: ${answer.bytes}`);
      assert.is(createHash('sha256').update(answer.bytes).digest('hex'), sha256);
    }
    for (const collectionId of new Set(this.known.map((each) => each.collectionId))) {
      const acknowledged = this.known.filter((each) => each.collectionId === collectionId);
      assert.equal(
        await this.listed(collectionId),
        acknowledged.map(({ version }) => version),
      );
    }
  }
}

/** Asserts status, stable code and envelope of a refusal. */
export function refused(answer: Answer, status: number, code: string): void {
  const body = answer.json as { status?: boolean; error?: string } | undefined;
  assert.equal([answer.status, answer.headers[HEADERS.error]], [status, code], answer.bytes.toString());
  assert.is(body?.status, false);
  assert.ok(body?.error);
}

/** The request's body is with the server, as far as can be told from here. */
export async function write(outgoing: ClientRequest, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => outgoing.write(bytes, () => resolve()));
}

/** The server holds no more than before: what clients left behind is closed. */
export async function letGo(
  program: Program,
  before: { files: number; sockets: number },
  spare = 0,
): Promise<void> {
  await eventually(
    () => `${JSON.stringify(program.held())} is no more than ${JSON.stringify(before)}`,
    () => program.held().files <= before.files + spare,
  );
}
