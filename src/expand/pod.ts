/** The pod of one operation: restricted by default, with the keys of that operation and no others. */
import type {
  Container,
  PodSecurityContext,
  PodSpec,
  PodTemplateSpec,
  ResourceRequirements,
  SecurityContext,
  Volume,
  VolumeMount,
} from 'kubernetes-types/core/v1.d.ts';
import type { PodTemplate } from '../../gen/types.ts';
import type { Operation } from '../api/procedure.ts';
import { Environment } from './environment.ts';
import { mergePodTemplate } from './merge.ts';
import { labelsOf, operationName } from './metadata.ts';
import { CLIENT_FOLDER, SCRATCH_FOLDER, SCRIPT_FOLDER, SECRET_FOLDER } from './paths.ts';
import type { OperationPlan, Plan } from './plan.ts';

export interface PodOptions {
  /** Settings of the function's configuration, then of the ScheduledBackup; later ones win. */
  settings: readonly (PodTemplate | undefined)[];
  /** Whether the pods run as the ServiceAccount that is generated for them. */
  serviceAccount: boolean;
  /** Variables beyond those of the plan, such as the version to restore. */
  environment?: Environment;
  annotations?: Record<string, string>;
}

/** Name of the container that runs the procedure. */
export const CONTAINER = 'backup-maker';

/** Name of the one volume that users may put another one in the place of. */
export const SCRATCH = 'scratch';

export function podTemplateOf(plan: Plan, operation: Operation, options: PodOptions): PodTemplateSpec {
  const operationPlan = plan.operations[operation];
  const spec: PodSpec = {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(options.serviceAccount && { serviceAccountName: `${plan.name}-backup` }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: operationPlan.user,
      runAsGroup: operationPlan.user,
      ...volumeGroup(operationPlan, options.settings),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(operationPlan.clientImage && { initContainers: [clientContainer(operationPlan.clientImage)] }),
    containers: [mainContainer(operation, operationPlan, options.environment)],
    volumes: volumesOf(plan, operation),
  };
  const template: PodTemplateSpec = {
    metadata: {
      labels: labelsOf(plan, operation),
      ...(options.annotations && { annotations: options.annotations }),
    },
    spec,
  };
  return options.settings.reduce<PodTemplateSpec>(
    (merged, settings) => (settings ? mergePodTemplate(merged, settings, CONTAINER) : merged),
    template,
  );
}

/** Sources of volumes whose files are there before the pod, and are still there when it is gone. */
const LASTING = ['persistentVolumeClaim', 'iscsi', 'fc'] as const;

/**
 * The group that the kubelet gives the pod's volumes to. On the volume of an application that changes group and modes of
 * all its files while they are in use, so there it is only done where the user asks for it. What else our pods mount
 * does without: an emptyDir may be written to, and files of ConfigMaps and Secrets read, by everybody in the pod.
 */
function volumeGroup(plan: OperationPlan, settings: PodOptions['settings']): PodSecurityContext {
  const asked = settings
    .map((each) => each?.securityContext?.fsGroup)
    .findLast((group) => group !== undefined);
  const ours = mountsLastingData(plan, settings) ? null : plan.user;
  const fsGroup = asked === undefined ? ours : asked;
  return fsGroup === null ? {} : { fsGroup, fsGroupChangePolicy: 'OnRootMismatch' };
}

function mountsLastingData({ volumes }: OperationPlan, settings: PodOptions['settings']): boolean {
  const own = settings.flatMap((each) => each?.volumes ?? []).filter(({ name }) => name !== SCRATCH);
  return volumes.length > 0 || own.some((volume) => LASTING.some((source) => volume[source] !== undefined));
}

/** Copies the self-contained client next to the tool, so that nobody builds an image per database version. */
function clientContainer(image: string): Container {
  return {
    name: 'client',
    image,
    command: ['cp', '-R', `${CLIENT_FOLDER}/.`, '/client/'],
    resources: {
      requests: { cpu: '10m', memory: '32Mi', 'ephemeral-storage': '256Mi' },
      limits: { cpu: '500m', memory: '128Mi', 'ephemeral-storage': '512Mi' },
    },
    securityContext: containerSecurity(true),
    volumeMounts: [{ name: 'client', mountPath: '/client' }],
  };
}

function mainContainer(operation: Operation, plan: OperationPlan, extra: Environment | undefined): Container {
  const environment = new Environment();
  environment.set('BM_OPERATION', operation);
  environment.set('HOME', SCRATCH_FOLDER);
  environment.set('TMPDIR', SCRATCH_FOLDER);
  environment.addAll(plan.environment);
  if (extra) environment.addAll(extra);
  return {
    name: CONTAINER,
    image: plan.image,
    command: plan.command,
    args: plan.args,
    env: environment.list(),
    resources: resourcesOf(plan),
    securityContext: containerSecurity(plan.readOnlyRoot),
    volumeMounts: mountsOf(plan),
  };
}

/** What every container of ours runs with. */
export function containerSecurity(readOnlyRootFilesystem: boolean): SecurityContext {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem, capabilities: { drop: ['ALL'] } };
}

/** Streams need little, whatever the size of the data. Where data is spooled to disk, its size cannot be known here. */
function resourcesOf(plan: OperationPlan): ResourceRequirements {
  return {
    requests: { cpu: '100m', memory: '256Mi', 'ephemeral-storage': '256Mi' },
    limits: { cpu: '2', memory: '1Gi', ...(!plan.scratch && { 'ephemeral-storage': '1Gi' }) },
  };
}

/** Where the main container has its own volumes. */
export function mountsOf(plan: OperationPlan): VolumeMount[] {
  return [
    ...(plan.clientImage ? [{ name: 'client', mountPath: CLIENT_FOLDER, readOnly: true }] : []),
    { name: 'scripts', mountPath: SCRIPT_FOLDER, readOnly: true },
    ...(plan.secretFiles.size > 0 ? [{ name: 'keys', mountPath: SECRET_FOLDER, readOnly: true }] : []),
    { name: SCRATCH, mountPath: SCRATCH_FOLDER },
    ...plan.volumeMounts,
  ];
}

/** The volumes of a pod before the user's settings. */
export function volumesOf(plan: Plan, operation: Operation): Volume[] {
  const { clientImage, secretFiles, scratch, volumes } = plan.operations[operation];
  return [
    ...(clientImage ? [{ name: 'client', emptyDir: { sizeLimit: '512Mi' } }] : []),
    { name: 'scripts', configMap: { name: operationName(plan, operation) } },
    ...(secretFiles.size > 0 ? [{ name: 'keys', projected: { sources: projections(secretFiles) } }] : []),
    { name: SCRATCH, emptyDir: scratch ? {} : { sizeLimit: '1Gi' } },
    ...volumes,
  ];
}

/** Only the entries that the operation needs, so that a backup's pod never holds a private key. */
function projections(
  files: OperationPlan['secretFiles'],
): { secret: { name: string; items: { key: string; path: string }[] } }[] {
  return [...files].map(([path, { name, key }]) => ({ secret: { name, items: [{ key, path }] } }));
}
