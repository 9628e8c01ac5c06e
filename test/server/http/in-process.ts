/** Servers within the test's own process, over whatever engines a test opens. */
import type { FastifyInstance } from 'fastify';
import { createTokens } from '../../../src/server/access/token.ts';
import type { ConfigurationProvider } from '../../../src/server/configuration/configuration.ts';
import { State } from '../../../src/server/configuration/state.ts';
import { buildServer, type Dependencies } from '../../../src/server/http/server.ts';
import type { Metadata } from '../../../src/server/metadata/metadata.ts';
import type { ObjectStorage } from '../../../src/server/storage/storage.ts';
import type { Document } from './documents.ts';
import type { Open, Target } from './suite.ts';

export interface Engines {
  metadata: Metadata;
  storage: ObjectStorage;
}

export interface InProcess extends Target, Engines {
  metadata: Metadata;
  storage: ObjectStorage;
  /** The first replica. */
  server: FastifyInstance;
  /** Opens another server over the first engines, closed with the others. Resolves to its address. */
  beside(settings: Parameters<Open>[1]): Promise<string>;
}

/** The documents as a configuration that does not change. */
export function configurationOf(documents: readonly Document[]): ConfigurationProvider {
  const state = new State();
  state.update(
    'test',
    documents.map((value) => ({ line: 1, value: value as never })),
    { encoding: 'raw' },
  );
  const { users, collections } = state.snapshot();
  const declared = documents.filter(({ kind }) => kind !== 'Secret').length;
  // Dangling references are problems that some tests want; a document that is not in use is a mistake.
  if (users.size + collections.size < declared) throw new Error(state.problems().join('\n'));
  return {
    start: async () => {},
    stop: async () => {},
    current: () => state.snapshot(),
    problems: () => state.problems(),
  };
}

/** Opens as many servers as `openEngines` gives engines; the first engines are the ones that tests may look into. */
export function openReplicas(
  openEngines: () => Promise<readonly Engines[]>,
  more: Partial<Dependencies> = {},
): (...args: Parameters<Open>) => Promise<InProcess> {
  return async (documents, settings) => {
    const engines = await openEngines();
    const servers: FastifyInstance[] = [];
    const listen = async (each: Engines, its: typeof settings): Promise<string> => {
      const server = await buildServer({
        ...each,
        configuration: configurationOf(documents),
        tokens: createTokens({ key: 'a key of the tests, long enough to be one' }),
        settings: its,
        log: { level: 'silent' },
        ...more,
      });
      servers.push(server);
      return server.listen({ host: '127.0.0.1', port: 0 });
    };
    const urls: string[] = [];
    for (const each of engines) urls.push(await listen(each, settings));
    const [first] = engines;
    const [server] = servers;
    if (!first || !server) throw new Error('there are no engines to open');
    return {
      urls,
      metadata: first.metadata,
      storage: first.storage,
      server,
      beside: (its) => listen(first, its),
      close: async () => {
        for (const server of servers) {
          server.server.closeAllConnections();
          await server.close();
        }
        for (const { metadata, storage } of engines) {
          await storage.close();
          await metadata.close();
        }
      },
    };
  };
}
