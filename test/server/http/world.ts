/** What a test of the suite sees: servers, tokens, collections, and answers held against the OpenAPI document. */
import { Ajv, type ValidateFunction } from 'ajv';
import * as assert from 'uvu/assert';
import { HEADERS } from '../../../src/wire/headers.ts';
import type { VersionMessage } from '../../../src/wire/messages.ts';
import { pathOf, ROUTES, type RouteName } from '../../../src/wire/routes.ts';
import { type Answer, begin, type Call, call, underWay } from './client.ts';
import { collection, type Document, PASSWORD } from './documents.ts';
import type { Target } from './suite.ts';

interface OpenApi {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
}

/** Armoured content that the server takes for OpenPGP. */
export function armoured(text = 'backup'): string {
  return `-----BEGIN PGP MESSAGE-----\n\n${Buffer.from(text).toString('base64')}\n-----END PGP MESSAGE-----\n`;
}

export class World {
  readonly collections: Document[] = [];
  #target: Target | undefined;
  #turn = 0;
  #openapi: OpenApi | undefined;
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #validators = new Map<string, ValidateFunction>();

  get target(): Target {
    if (!this.#target) throw new Error('the suite is not open');
    return this.#target;
  }

  /** Declares a collection; its name is what tests call it by. */
  collection(name: string, spec: object = {}): string {
    this.collections.push(collection(name, spec));
    return name;
  }

  async open(target: Target): Promise<void> {
    this.#target = target;
    this.#openapi = (await call('GET', this.url('/openapi.json'))).json as OpenApi;
  }

  async close(): Promise<void> {
    await this.#target?.close();
  }

  /** The next replica. */
  url(path: string): string {
    const { urls } = this.target;
    return `${urls[this.#turn++ % urls.length]}${path}`;
  }

  token(username = 'admin', operationsScope?: object): Promise<string> {
    const key = JSON.stringify([username, operationsScope]);
    const known = this.#tokens.get(key);
    if (known) return known;
    const token = this.newToken(username, operationsScope);
    this.#tokens.set(key, token);
    return token;
  }

  /** A token of its own, to be revoked. */
  async newToken(username = 'admin', operationsScope?: object): Promise<string> {
    const answer = await this.ask('login', {}, json({ username, password: PASSWORD, operationsScope }));
    assert.is(answer.status, 200, answer.bytes.toString());
    return (answer.json as { data: { token: string } }).data.token;
  }

  /** Calls a route by its name; the answer must be one that the OpenAPI document has. `query` begins with `?`. */
  async ask(
    route: RouteName,
    parameters: Record<string, string | number> = {},
    options: Call & { as?: string; query?: string; method?: string } = {},
  ): Promise<Answer> {
    const token = options.as ? await this.token(options.as) : options.token;
    const method = options.method ?? ROUTES[route].method;
    const url = this.url(`${pathOf(route, parameters)}${options.query ?? ''}`);
    const answer = await call(method, url, { ...options, ...(token && { token }) });
    this.#checkDocumented(route, method, answer);
    return answer;
  }

  async begin(collectionId: string, options: Call & { as?: string } = {}): Promise<ReturnType<typeof begin>> {
    const token = await this.token(options.as ?? 'admin');
    return begin('POST', this.url(pathOf('upload', { collectionId })), { ...options, token });
  }

  /** The same, with the collection its own already. */
  async underWay(
    collectionId: string,
    options: Call & { as?: string } = {},
  ): Promise<ReturnType<typeof begin>> {
    const token = await this.token(options.as ?? 'uploader');
    return underWay(this.url(pathOf('upload', { collectionId })), { ...options, token });
  }

  upload(
    collectionId: string,
    body: Call['body'] = armoured(),
    options: Call & { as?: string; query?: string } = {},
  ): Promise<Answer> {
    return this.ask(
      'upload',
      { collectionId },
      { as: 'admin', ...options, ...(body !== undefined && { body }) },
    );
  }

  /** Uploads what must be accepted. */
  async stored(
    collectionId: string,
    body?: Call['body'],
    options?: Call & { as?: string },
  ): Promise<VersionMessage> {
    const answer = await this.upload(collectionId, body, options);
    assert.is(answer.status, 200, answer.bytes.toString());
    return (answer.json as { data: { version: VersionMessage } }).data.version;
  }

  async versions(collectionId: string): Promise<VersionMessage[]> {
    const answer = await this.ask('versions', { collectionId }, { as: 'admin' });
    return (answer.json as { data: { versions: VersionMessage[] } }).data.versions;
  }

  #checkDocumented(route: RouteName, method: string, answer: Answer): void {
    const path = ROUTES[route].path.replace(/:(\w+)/g, '{$1}');
    const operation = this.#openapi?.paths[path]?.[method.toLowerCase()];
    if (!operation) return;
    const response = operation.responses[answer.status];
    assert.ok(response, `${method} ${path} answers ${answer.status}, which is not documented`);
    const schema = response.content?.['application/json']?.schema;
    if (!schema || !answer.headers['content-type']?.startsWith('application/json')) return;
    const key = `${method} ${path} ${answer.status}`;
    const validate =
      this.#validators.get(key) ?? new Ajv({ strict: false, validateFormats: false }).compile(schema);
    this.#validators.set(key, validate);
    assert.ok(validate(answer.json), `${key}: ${JSON.stringify(validate.errors)} in ${answer.bytes}`);
  }
}

/** A request with a JSON body. */
export function json(value: unknown): Call {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}

/** Asserts an error in the envelope, to the letter. */
export function refused(answer: Answer, status: number, error: string, code?: string): void {
  assert.is(answer.bytes.toString(), JSON.stringify({ status: false, error, data: {} }, null, 4));
  assert.is(answer.status, status);
  if (code) assert.is(answer.headers[HEADERS.error], code);
}

/** Asserts an error about a token, to the letter. */
export function tokenRefused(answer: Answer, code: number, message: string): void {
  assert.is(answer.bytes.toString(), JSON.stringify({ status: false, code, message, data: {} }, null, 4));
  assert.is(answer.status, code);
}

/** The data of a good answer. */
export function dataOf<T>(answer: Answer): T {
  const body = answer.json as { status: boolean; data: T };
  assert.is(answer.status, 200, answer.bytes.toString());
  assert.is(body.status, true);
  return body.data;
}
