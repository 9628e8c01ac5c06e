/** Schemas of routes, for the OpenAPI document: every status that a route can answer with, and why. */
import { STATUS_CODES } from 'node:http';
import type { FastifySchema } from 'fastify';
import type { ErrorCode } from '../../wire/error-codes.ts';
import { failure, type Schema, success, tokenFailure } from '../../wire/schemas.ts';
import { statusOf } from './statuses.ts';

export interface Description {
  tag: 'access' | 'versions' | 'collections' | 'actions' | 'operation';
  summary: string;
  description?: string;
  /** Data of a good answer, in the envelope. */
  data?: Schema;
  /** Good answers that are something else, by status. */
  answers?: Readonly<Record<number, Schema>>;
  /** True if the route asks for a token. */
  token?: boolean;
  errors?: readonly ErrorCode[];
  params?: Schema;
  querystring?: Schema;
  headers?: Schema;
  body?: Schema;
}

/** What any route may answer, whatever it does. */
const ALWAYS: readonly ErrorCode[] = [
  'bad-request',
  'internal',
  'database-unavailable',
  'uri-too-long',
  'rate-limited',
];
const WITH_TOKEN: readonly ErrorCode[] = ['not-authenticated', 'not-authorized'];
const WITH_BODY: readonly ErrorCode[] = ['body-too-large', 'unsupported-media-type', 'request-timeout'];

/** The schema of a route. */
export function describe(route: Description, preciseStatuses: boolean): FastifySchema {
  const codes = [
    ...ALWAYS,
    ...(route.token ? WITH_TOKEN : []),
    ...(route.body ? WITH_BODY : []),
    ...(route.errors ?? []),
  ];
  const byStatus = Map.groupBy(new Set(codes), (code) => statusOf(code, preciseStatuses));
  const response: Record<number, unknown> = {};
  if (route.data) response[200] = { description: 'OK', ...success(route.data) };
  for (const [status, schema] of Object.entries(route.answers ?? {})) response[Number(status)] = schema;
  for (const [status, meanings] of byStatus) {
    const shape = meanings.some(
      (code) => WITH_TOKEN.includes(code) || code === 'login-refused' || code === 'rate-limited',
    )
      ? { anyOf: [failure, tokenFailure] }
      : failure;
    response[status] ??= { description: `${STATUS_CODES[status]}: ${meanings.join(', ')}`, ...shape };
  }
  return {
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    ...(route.token ? { security: [{ bearer: [] }] } : {}),
    ...(route.params && { params: route.params }),
    ...(route.querystring && { querystring: route.querystring }),
    ...(route.headers && { headers: route.headers }),
    ...(route.body && { body: route.body }),
    response,
  } as FastifySchema;
}
