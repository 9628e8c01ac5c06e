/** The server's API as an administrator uses it: what is stored, and who is logged in. */
import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { VersionMessage } from '../../../src/wire/messages.ts';

export class Api {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  static async login(url: string, username: string, password: string): Promise<Api> {
    return new Api(url, await Api.token(url, username, password));
  }

  /** What a user keeps in a Secret for `tokenSecretRef`. */
  static async token(url: string, username: string, password: string): Promise<string> {
    const response = await request(`${url}/api/stable/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    const { data, error } = (await response.json()) as { data: { token: string }; error?: string };
    assert.is(response.status, 200, `login as ${username}: ${error}`);
    return data.token;
  }

  ask(path: string, options: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, ...options.headers };
    return request(this.url + path, { ...options, headers });
  }

  /** Oldest first. */
  async versions(collection: string): Promise<VersionMessage[]> {
    const response = await this.ask(`/api/stable/repository/collection/${collection}/version`);
    assert.is(response.status, 200);
    const { data } = (await response.json()) as { data: { versions: VersionMessage[] } | VersionMessage[] };
    return Array.isArray(data) ? data : data.versions;
  }

  async download(collection: string, version: number | 'latest'): Promise<Response> {
    return this.ask(`/api/alpha/repository/collection/${collection}/version/${version}`);
  }

  /** Something small that is encrypted, as far as one can see. */
  async upload(collection: string): Promise<Response> {
    return this.ask(`/api/alpha/repository/collection/${collection}/version`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: 'age-encryption.org/v1\n-> X25519 x\n--- x\n',
    });
  }
}

/** Once more if the connection is gone: tools that tests wait for without listening may take longer than the server keeps one. */
function request(url: string, options: RequestInit): Promise<Response> {
  return fetch(url, options).catch(() => fetch(url, options));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
