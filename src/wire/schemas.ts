/** JSON Schemas of the messages: what the server checks requests against, documents, and tests hold answers to. */
import { FORMATS } from './headers.ts';

export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
/** What a database is asked for: PostgreSQL refuses to look for some control characters. */
export const printable: Schema = { type: 'string', pattern: '^[^\\u0000-\\u001f\\u007f]*$' };
const time: Schema = { type: 'string', format: 'date-time' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const positive: Schema = { type: 'integer', minimum: 1 };
const sha256: Schema = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const texts: Schema = { type: 'array', items: text };

/** An object with these members and no others, all of them required but the ones named. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    properties,
  };
}

/** The envelope of a good answer. */
export function success(data: Schema): Schema {
  return object({ status: { const: true }, data });
}

/** The envelope of an error. */
export const failure: Schema = object({
  status: { const: false },
  error: text,
  data: { type: 'object' },
});

/** The shape of errors about tokens. */
export const tokenFailure: Schema = object({
  status: { const: false },
  code: { type: 'integer' },
  message: text,
  data: { type: 'object' },
});

const operationsScope: Schema = {
  type: ['object', 'string', 'null'],
  description:
    'What the token is limited to, as an object or as JSON text. It never allows more than its user may do.',
};

export const loginRequest: Schema = {
  type: 'object',
  properties: {
    username: { type: 'string', maxLength: 512, description: '`user`, or `user$key` for an access key.' },
    password: { type: 'string', maxLength: 1024 },
    operationsScope,
    description: {
      type: 'string',
      maxLength: 256,
      description: 'Shown in lists of sessions, with spaces for control characters.',
    },
  },
};

export const loginData = object({ token: text, sessionId: sha256, expire: time, msg: text });

export const refreshedToken = object({ code: { const: 200 }, token: text, expire: time });

export const profileData = object({ email: text, permissions: texts });

export const grantedAccess = object({
  CreatedAt: time,
  UpdatedAt: time,
  DeletedAt: { type: 'null' },
  id: sha256,
  expiresAt: time,
  deactivated: flag,
  description: text,
  requesterIP: text,
  user: text,
  accessKeyName: text,
});

export const whoamiData = object({ email: text, permissions: texts, sessionId: sha256, grantedAccess });

export const logoutData = object({ message: text, sessionId: sha256 });

export const tokensData = object({ grantedAccesses: { type: 'array', maxItems: 100, items: grantedAccess } });

export const version = object({
  id: text,
  collectionId: text,
  versionNumber: positive,
  filename: text,
  filesize: count,
  uploadedBySessionId: text,
  user: text,
  CreatedAt: time,
  UpdatedAt: time,
  DeletedAt: { type: ['string', 'null'], format: 'date-time' },
  sha256,
  format: { enum: [...FORMATS] },
  contentEncoding: text,
  pinned: flag,
});

export const versionData = object({ version });
export const versionsData = object({ versions: { type: 'array', items: version } });

export const collectionsData = object({
  collections: {
    type: 'array',
    items: object({
      id: text,
      description: text,
      versions: count,
      bytes: count,
      newestAt: { type: ['string', 'null'], format: 'date-time' },
      maxBackupsCount: positive,
      maxOneVersionSize: count,
      maxCollectionSize: count,
    }),
  },
});

export const healthData = object({
  health: { type: 'array', items: object({ name: text, statusText: text, status: flag, message: text }) },
});

export const messageData = object({ msg: text });

/** Names are Kubernetes names, run ids are UUIDs; others are welcome as long as they are short and plain. */
const shortText: Schema = { type: 'string', minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9._:/@-]+$' };
const leaseSeconds: Schema = { type: 'integer', minimum: 5, maximum: 86_400 };
const actionKey = { namespace: shortText, name: shortText, runId: shortText, holder: shortText };

export const claimRequest = object(
  { ...actionKey, operation: { enum: ['backup', 'restore'] }, leaseSeconds, retry: flag },
  ['retry'],
);

export const renewRequest = object({ ...actionKey, leaseSeconds });

export const finishRequest = object(
  {
    ...actionKey,
    state: { enum: ['done', 'failed'] },
    versionNumber: { type: ['integer', 'null'], minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  },
  ['versionNumber'],
);

export const action = object({
  namespace: text,
  name: text,
  runId: text,
  collectionId: text,
  operation: text,
  state: { enum: ['running', 'done', 'failed'] },
  holder: text,
  leaseUntil: time,
  versionNumber: { type: ['integer', 'null'] },
  createdAt: time,
  updatedAt: time,
});

export const claimData = object({ outcome: { enum: ['claimed', 'done', 'running', 'failed'] }, action });
export const actionData = object({ action });
