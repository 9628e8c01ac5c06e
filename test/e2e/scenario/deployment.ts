/** One ScheduledBackup with all that it needs, as it stands in Git and in the cluster. */
import * as assert from 'uvu/assert';
import { jobOf, type PodRequest, type PodResult, runPod } from '../containers/pod.ts';
import { folderWith, type Manifest, only } from '../sandbox.ts';
import type { Data } from './data/data.ts';
import { EMAIL } from './keys.ts';
import type { Row } from './matrix.ts';
import { action, ownTemplate, scheduledBackup, secret } from './objects.ts';
import { render } from './render.ts';
import { accessName, accessPassword, SERVER_HOSTS, type World } from './world.ts';

export const BACKUP = 'app';

export class Deployment {
  readonly row: Row;
  readonly data: Data;
  /** The package, by file; tests add to it as users do. */
  readonly files: Record<string, Manifest[]>;
  /** What was rendered last. */
  objects: Manifest[] = [];

  constructor(world: World, row: Row, data: Data) {
    this.row = row;
    this.data = data;
    const { name, image, encryption, procedure } = row;
    const own = procedure === 'own';
    const { params, secretParams, podTemplate } = data;
    const hasSecrets = Object.keys(secretParams).length > 0;
    const version = image?.split(':').at(-1);
    this.files = {
      'backup.yaml': [
        scheduledBackup(BACKUP, {
          collectionId: name,
          cronJob: { enabled: true, scheduleEvery: '0 2 * * *' },
          templateRef: own
            ? { kind: 'ClusterBackupProcedureTemplate', name: 'mine' }
            : { kind: 'internal', name: procedure, ...(version !== undefined && { version }) },
          vars: { Params: params },
          ...(hasSecrets && { varsSecretRef: { secretName: 'database' } }),
          accessKeySecretRef: { name: 'backup-access' },
          repository: { url: world.url },
          ...(encryption === 'openpgp'
            ? { gpgKeySecretRef: { secretName: 'keys', email: EMAIL } }
            : {
                encryption: {
                  recipients: [world.keys.recipient],
                  identitySecretRef: { name: 'keys', key: 'identity' },
                },
              }),
          ...(podTemplate && { podTemplate: own ? withVolume(podTemplate, data) : podTemplate }),
        }),
      ],
      'secrets.yaml': [
        secret('backup-access', { username: accessName(name), password: accessPassword(name) }),
        encryption === 'openpgp' ? world.keys.openpgp('keys') : world.keys.identity('keys'),
        ...(hasSecrets ? [secret('database', secretParams)] : []),
      ],
      ...(own && { 'template.yaml': [ownTemplate('mine', { image: image ?? '', ...data.scripts })] }),
    };
  }

  /** Renders the package as it is now. */
  async render(config?: Manifest): Promise<void> {
    const { row, files } = this;
    this.objects = await render({ namespace: row.name, files, with: row.with, ...(config && { config }) });
  }

  /** Adds a RequestedBackupAction and renders; returns its Job. */
  async request(name: string, spec: Manifest): Promise<Manifest> {
    const confirmed = spec.action === 'restore' ? { confirmRestore: BACKUP, ...spec } : spec;
    this.files[`${name}.yaml`] = [action(name, BACKUP, confirmed)];
    await this.render();
    return only(this.objects, 'Job', `${name}-`);
  }

  get cronJob(): Manifest {
    return only(this.objects, 'CronJob');
  }

  /** Runs the pod of a Job or CronJob, whatever comes of it. Its logs are in the result only. */
  tryRun(job: Manifest, options: Partial<PodRequest> = {}): Promise<PodResult> {
    return this.#run(job, { keepLogsIn: folderWith(), ...options });
  }

  #run(job: Manifest, options: Partial<PodRequest>): Promise<PodResult> {
    return runPod({
      ...jobOf(job),
      objects: this.objects,
      claims: this.data.claims ?? {},
      hosts: [...this.data.hosts, ...SERVER_HOSTS],
      ...options,
    });
  }

  /** Runs a pod that must succeed. The logs of one that does not are kept. */
  async run(job: Manifest, options: Partial<PodRequest> = {}): Promise<PodResult> {
    const result = await this.#run(job, options);
    assert.is(result.exitCode, 0, `${this.row.name}: logs in ${result.folder}\n${result.logs}`);
    return result;
  }
}

/** A user's own template mounts what it needs by itself. */
function withVolume(podTemplate: Manifest, { claims = {} }: Data): Manifest {
  const [claimName] = Object.keys(claims);
  return {
    ...podTemplate,
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
}
