/** What every route works with. */
import type { FastifyInstance } from 'fastify';
import type { ErrorCode } from '../../wire/error-codes.ts';
import type { Subject } from '../access/subject.ts';
import type { Tokens } from '../access/token.ts';
import type { ConfigurationProvider } from '../configuration/configuration.ts';
import type { VersionDependencies } from '../versions/dependencies.ts';
import type { Sweeper } from '../versions/sweeper.ts';
import type { Metrics } from './metrics.ts';
import type { Settings } from './settings.ts';
import type { Transfers } from './transfers.ts';

export interface App extends VersionDependencies {
  readonly configuration: ConfigurationProvider;
  readonly tokens: Tokens;
  readonly settings: Settings;
  readonly sweeper: Sweeper;
  readonly metrics: Metrics;
  readonly transfers: Transfers;
}

export type Server = FastifyInstance;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set on routes that need a token. */
    subject: Subject | undefined;
    /** Address of the client, behind trusted proxies. */
    clientAddress: string;
    /** Why the request failed, for log and metrics. */
    errorCode: ErrorCode | undefined;
  }
  interface FastifyContextConfig {
    /** Which rate limit the route is under. */
    rateLimit?: 'default' | 'auth' | 'collectionHealth' | 'serverHealth';
    /** True if the handler reads the body by itself, and answers `Expect: 100-continue`. */
    ownBody?: boolean;
  }
}
