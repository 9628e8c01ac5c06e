/** A member of etcd for each row, which is stopped for a restore, as its procedure asks for. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../free-port.ts';
import { output, type Service, startService } from '../../containers/service.ts';
import { folderWith } from '../../sandbox.ts';
import { APPLICATION_USER, AS_APPLICATION, type Data, MAKE, RESTORE } from './data.ts';
import { giveToApplication } from './files.ts';

const HOST = 'etcd-0.etcd.databases.svc.cluster.local';
const CLAIM = 'data-etcd-0';

export async function etcdData(image: string): Promise<Data> {
  const folder = folderWith();
  giveToApplication(folder);
  const [port, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const variables = { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: url };
  const start = () =>
    startService({
      name: 'etcd',
      image,
      command: [
        ...['etcd', '--data-dir=/data', `--listen-client-urls=${url}`, `--advertise-client-urls=${url}`],
        ...[`--listen-peer-urls=http://127.0.0.1:${peer}`, '--log-level=error', '--unsafe-no-fsync'],
      ],
      options: [
        `--user=${APPLICATION_USER}:${APPLICATION_USER}`,
        `--mount=type=bind,source=${folder},destination=/data`,
      ],
      ready: (made) => output(made, ['etcdctl', 'endpoint', 'status'], { env: variables }),
    });
  let service: Service = await start();
  const etcdctl = (...words: string[]) => output(service, ['etcdctl', ...words], { env: variables });
  /** All of it at once: no condition, these requests, and none for otherwise. */
  const write = (requests: readonly string[]) =>
    output(service, ['etcdctl', 'txn'], { env: variables, input: `\n${requests.join('\n')}\n\n\n` });
  await write(Array.from({ length: 10 }, (_, index) => `put /notes/${index} "note ☕ ${index}"`));
  let restores = 0;
  return {
    params: { hostname: HOST, port: String(port), claim: CLAIM },
    secretParams: {},
    claims: { [CLAIM]: folder },
    podTemplate: AS_APPLICATION,
    hosts: [HOST],
    scripts: { backup: `${MAKE} -c true\n`, restore: `${RESTORE} -c true\n` },
    change: async (text) => {
      await write([`put /notes/${text} ${text}`, `put /notes/7 ${text}`, 'del /notes/3']);
    },
    state: () => etcdctl('get', '--prefix', '', '--write-out=simple'),
    version: async () =>
      (await etcdctl('endpoint', 'status', '--write-out=json')).match(/"version":"([^"]+)"/)?.[1] ?? '',
    beforeRestore: async () => {
      await service.stop();
      renameSync(join(folder, 'member'), join(folder, `member.old-${restores++}`));
    },
    afterRestore: async () => {
      service = await start();
    },
    stop: () => service.stop(),
  };
}
