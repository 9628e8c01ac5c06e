/**
 * Runs a pod as the kubelet would, with podman: init containers and then containers in their order, with volumes, Secrets,
 * variables, users, limits and security settings. Everything in a pod that is not known here is an error.
 *
 * What a pod here does not have: a network of its own (services of this machine have the names in `hosts`, NetworkPolicies do
 * nothing), a limit of disk space outside of emptyDirs with a size, environment of Services, and restarts.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import type { ContainerSetting } from './pod-container.ts';
import { mustBe, onlyKnown } from './pod-objects.ts';
import { makeVolumes, type PodVolumes } from './pod-volumes.ts';
import { type ContainerResult, type Look, runContainer } from './run-container.ts';

export interface PodRequest {
  /** As the function rendered it. See {@link jobOf} for that of a Job or CronJob. */
  template: PodTemplateSpec;
  /** Of the Job; the pod's name is made from it. */
  name?: string;
  namespace?: string;
  /** ConfigMaps and Secrets of the cluster, and whatever else stands beside them. */
  objects?: ContainerSetting['pod']['objects'];
  /** Folders of this machine, by name of the claim. Their group and modes change if the pod has an fsGroup. */
  claims?: Readonly<Record<string, string>>;
  /** Host names that mean this machine, for instance `postgres.db.svc`. */
  hosts?: readonly string[];
  /** Other images to run, by the name in the template. */
  images?: Readonly<Record<string, string>>;
  /** Limit of the Job; the template may have one, too. */
  deadlineSeconds?: number;
  /** Looks at each container while it runs. It is not called for a container that has ended before. What it throws fails the run. */
  whileRunning?: Look;
  /** Folder that keeps the logs of pods that failed; by default `.tools/pods`. */
  keepLogsIn?: string;
}

export interface PodResult {
  /** Of the first container that failed; 0 if none did. */
  exitCode: number;
  deadlineExceeded: boolean;
  /** Those that were started, in their order. */
  containers: ContainerResult[];
  /** Of all containers, each under its name. */
  logs: string;
  /** Folder with the logs, if the pod failed. */
  folder?: string;
}

/** Scheduling decides where a pod runs, and here there is one place. Tokens are not mounted, so the account does not matter. */
const WITHOUT_EFFECT = [
  'affinity',
  'imagePullSecrets',
  'nodeSelector',
  'priorityClassName',
  'schedulerName',
  'serviceAccountName',
  'tolerations',
  'topologySpreadConstraints',
];

const KNOWN = [
  ...WITHOUT_EFFECT,
  'activeDeadlineSeconds',
  'automountServiceAccountToken',
  'containers',
  'enableServiceLinks',
  'hostAliases',
  'initContainers',
  'restartPolicy',
  'securityContext',
  'terminationGracePeriodSeconds',
  'volumes',
];

/** The pod template of a Job, or of the Job that a CronJob starts, with what the Job says about it. */
export function jobOf(object: {
  kind?: string;
  metadata?: { name?: string; namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: whatever was rendered; runPod looks at all of it
  spec?: any;
}): Pick<PodRequest, 'template' | 'name' | 'namespace' | 'deadlineSeconds'> {
  const job = object.kind === 'CronJob' ? object.spec.jobTemplate.spec : object.spec;
  const { name = 'job', namespace = 'default' } = object.metadata ?? {};
  const deadline = job.activeDeadlineSeconds;
  return {
    template: job.template,
    name,
    namespace,
    ...(deadline !== undefined && { deadlineSeconds: deadline }),
  };
}

/** Of pods that run now. What was mounted in them is unmounted before: see pod-volumes.ts. */
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Runs a pod to its end. Rejects only if it cannot be run at all; a pod that fails is a result. */
export async function runPod(request: PodRequest): Promise<PodResult> {
  const { template, namespace = 'default', objects = [], claims = {}, hosts = [], images = {} } = request;
  const spec = template.spec ?? { containers: [] };
  onlyKnown(template, 'template', ['metadata', 'spec']);
  onlyKnown(template.metadata, 'template.metadata', ['labels', 'annotations', 'name', 'namespace']);
  onlyKnown(spec, 'spec', KNOWN);
  mustBe(spec.restartPolicy, 'spec.restartPolicy', 'Never');
  mustBe(spec.automountServiceAccountToken, 'spec.automountServiceAccountToken', false);
  mustBe(spec.enableServiceLinks, 'spec.enableServiceLinks', false);

  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const name = `${(request.name ?? 'pod').slice(0, 57)}-${randomBytes(3).toString('hex').slice(0, 5)}`;
  const pod = { name, namespace, labels, annotations, objects, claims };
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-pod-'));
  folders.add(folder);
  const logs = join(request.keepLogsIn ?? join(import.meta.dirname, '../../../.tools/pods'), name);
  const deadline = Math.min(request.deadlineSeconds ?? Infinity, spec.activeDeadlineSeconds ?? Infinity);
  const ends = performance.now() + deadline * 1000;
  const grace = spec.terminationGracePeriodSeconds ?? 30;
  const results: ContainerResult[] = [];
  let deadlineExceeded = false;
  let volumes: PodVolumes | undefined;
  try {
    volumes = makeVolumes(spec, pod, join(folder, 'volumes'));
    const setting = { pod, spec, volumes: volumes.volumes, hosts, images };
    const start = async (container: Container) => {
      const one = { container, setting, logs, ends, grace, whileRunning: request.whileRunning };
      const { result, late } = await runContainer(one);
      results.push(result);
      deadlineExceeded ||= late;
      return result.exitCode === 0 && !late;
    };
    mkdirSync(logs, { recursive: true });
    let goOn = true;
    for (const container of spec.initContainers ?? []) goOn &&= await start(container);
    if (goOn) await settledAll(spec.containers.map(start));
    const exitCode = results.find((each) => each.exitCode !== 0)?.exitCode ?? (deadlineExceeded ? 137 : 0);
    const text = results
      .map((each) => `== ${each.name}: exit code ${each.exitCode}\n${each.stdout}${each.stderr}`)
      .join('\n');
    if (exitCode === 0) rmSync(logs, { recursive: true });
    return {
      exitCode,
      deadlineExceeded,
      containers: results,
      logs: text,
      ...(exitCode !== 0 && { folder: logs }),
    };
  } finally {
    volumes?.remove();
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  }
}

/** Waits for all, even if one fails, because each cleans up after itself; then throws the first failure. */
async function settledAll(running: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(running)).find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}
