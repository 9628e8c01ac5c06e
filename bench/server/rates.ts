/** How many logins and listings a second: what a fleet of CronJobs asks for besides its uploads. */
import { mkdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { pathOf } from '../../src/wire/routes.ts';
import { PASSWORD, startBare, startOurs, USER } from './process.ts';
import { call, type Rate, rateOf } from './requests.ts';

const PARALLEL = 8;
/** As a collection has that keeps two weeks. */
const VERSIONS = 14;

export async function measureRates(folder: string, seconds: number, program?: string): Promise<Rate[]> {
  mkdirSync(folder);
  const bare = await startBare(join(folder, 'bare'));
  const { server, token } = await startOurs(join(folder, 'ours'), {
    collections: new Map([['c', VERSIONS]]),
    program,
  });
  const headers = { Authorization: `Bearer ${token}` };
  const upload = { url: server.url + pathOf('upload', { collectionId: 'c' }), method: 'POST' };
  const agent = new Agent();
  for (let version = 0; version < VERSIONS; version++)
    await call(agent, { ...upload, headers, body: 'age-encryption.org/v1\nnot much' });
  const login = {
    ...{ url: server.url + pathOf('login'), method: 'POST', headers: { 'Content-Type': 'application/json' } },
    body: JSON.stringify({ username: USER, password: PASSWORD }),
  };
  const load = { parallel: PARALLEL, seconds };
  const versions = server.url + pathOf('versions', { collectionId: 'c' });
  const rates = [
    await rateOf('bare node:http, an empty answer', 'reference', { url: `${bare.url}/` }, load),
    await rateOf('health', 'ours', { url: server.url + pathOf('health') }, load),
    await rateOf('who am I', 'ours', { url: server.url + pathOf('whoami'), headers }, load),
    await rateOf(`list ${VERSIONS} versions`, 'ours', { url: versions, headers }, load),
    await rateOf('log in', 'ours', login, load),
  ];
  await Promise.all([bare.stop(), server.stop()]);
  return rates;
}
