/**
 * The operations scope of a token: what a login asked to be limited to.
 *
 * A scope only ever takes rights away. It travels in the token, so its size is limited: headers are.
 */
import { joinPath } from '../../api/field-path.ts';
import { UserError } from '../../api/problem.ts';
import { ROLES, type Role, roleOf } from './roles.ts';

export interface ScopeElement {
  readonly type: 'collection';
  /** Id of the collection. */
  readonly name: string;
  readonly roles: readonly Role[];
}

export interface OperationsScope {
  /** At least one. Several elements for one collection add up. */
  readonly elements: readonly ScopeElement[];
}

/** Bytes of the scope as JSON. */
export const MAX_SCOPE_BYTES = 4096;
const MAX_ELEMENTS = 64;
const MAX_NAME = 253;
const BASE = 'operationsScope';

/**
 * The scope that a login request holds: an object, or JSON text as forms send it.
 *
 * `null`, absent, empty text, and an object without `elements` (an unset structure of the original's Go types) mean no
 * limit. An empty list does not: whoever made one by mistake would get a token for everything.
 *
 * @throws {UserError} that names the field and what to write instead.
 */
export function readScope(value: unknown): OperationsScope | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string') return readScope(parse(value));
  const scope = fields(value, BASE, ['elements']);
  if (scope.elements === undefined || scope.elements === null) return null;
  const elements = list(scope.elements, `${BASE}.elements`, MAX_ELEMENTS).map(readElement);
  const result: OperationsScope = { elements };
  const bytes = Buffer.byteLength(JSON.stringify(result));
  if (bytes > MAX_SCOPE_BYTES) {
    fail(
      BASE,
      `must have at most ${MAX_SCOPE_BYTES} bytes as JSON, has ${bytes}: log in once per collection`,
    );
  }
  return result;
}

function readElement(value: unknown, index: number): ScopeElement {
  const path = `${BASE}.elements[${index}]`;
  const element = fields(value, path, ['type', 'name', 'roles']);
  if (element.type !== 'collection') fail(joinPath(path, 'type'), 'must be collection');
  const { name } = element;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) {
    fail(joinPath(path, 'name'), `must be the id of a collection, of 1 to ${MAX_NAME} characters`);
  }
  const roles = list(element.roles, joinPath(path, 'roles'), ROLES.length + 1).map((text, at): Role => {
    const role = typeof text === 'string' ? roleOf(text) : undefined;
    return role ?? fail(`${path}.roles[${at}]`, `must be one of ${ROLES.join(', ')}`);
  });
  return { type: 'collection', name, roles };
}

function parse(text: string): unknown {
  if (text.length > 4 * MAX_SCOPE_BYTES) fail(BASE, `must have at most ${MAX_SCOPE_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    fail(
      BASE,
      'must be JSON, such as {"elements":[{"type":"collection","name":"id","roles":["backupUploader"]}]}',
    );
  }
  // Text within text would recurse for as long as somebody nests it.
  return typeof value === 'string' ? fail(BASE, 'must be a map') : value;
}

/** The members of a map that has none but the known ones: an unknown one might be a limit that we do not honour. */
function fields(value: unknown, path: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'must be a map');
  if (Object.keys(value).some((key) => !known.includes(key))) {
    fail(path, `has an unknown field; known: ${known.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, path: string, most: number): unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > most) {
    fail(path, `must be a list of 1 to ${most} entries`);
  }
  return value;
}

function fail(path: string, message: string): never {
  throw new UserError({ code: 'invalid-value', path, message });
}
