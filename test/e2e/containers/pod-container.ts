/** One container of a pod as arguments of podman. */
import type {
  Container,
  PodSpec,
  ResourceRequirements,
  SecurityContext,
} from 'kubernetes-types/core/v1.d.ts';
import { quantityOf } from '../../../src/expand/quantity.ts';
import { environmentOf, expandVariables, type PodIdentity } from './pod-environment.ts';
import { mustBe, onlyKnown } from './pod-objects.ts';
import { mountOption, type PodVolume } from './pod-volumes.ts';
import { podmanOutput, RUN_OPTIONS } from './podman.ts';

export interface ContainerSetting {
  pod: PodIdentity;
  spec: PodSpec;
  volumes: ReadonlyMap<string, PodVolume>;
  /** Host names that mean this machine. */
  hosts: readonly string[];
  /** Other images to run than those that are named. */
  images: Readonly<Record<string, string>>;
}

/** With no meaning for a container that runs once on one machine whose images are there. */
const WITHOUT_EFFECT = ['imagePullPolicy', 'ports', 'terminationMessagePath', 'terminationMessagePolicy'];

const KNOWN = [
  ...WITHOUT_EFFECT,
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'env',
  'envFrom',
  'resources',
  'securityContext',
  'volumeMounts',
];

/** Arguments of `podman run` after its name. Throws where the kubelet would refuse the container. */
export async function containerArguments(container: Container, setting: ContainerSetting): Promise<string[]> {
  const { pod, spec, volumes, hosts, images } = setting;
  const where = `container ${container.name}`;
  onlyKnown(container, where, KNOWN);
  if (!container.image) throw new Error(`${where} has no image`);
  const image = images[container.image] ?? fullName(container.image);
  const environment = environmentOf(container, pod);
  const [entry, ...rest] = (container.command ?? []).map((text) => expandVariables(text, environment));
  const args = (container.args ?? []).map((text) => expandVariables(text, environment));
  return [
    ...RUN_OPTIONS,
    `--hostname=${pod.name}`,
    ...hosts.map((host) => `--add-host=${host}:127.0.0.1`),
    ...(spec.hostAliases ?? []).flatMap(({ hostnames, ip }) =>
      (hostnames ?? []).map((host) => `--add-host=${host}:${ip}`),
    ),
    ...(await securityOptions(container.securityContext, spec, image, where)),
    ...resourceOptions(container.resources, where),
    ...[...environment].map(([name, value]) => `--env=${name}=${value}`),
    `--env=HOSTNAME=${environment.get('HOSTNAME') ?? pod.name}`,
    ...(container.volumeMounts ?? []).map((mount) => mountOption(mount, volumes)),
    ...(container.workingDir === undefined ? [] : [`--workdir=${container.workingDir}`]),
    // With a command, the kubelet ignores what the image would run, arguments included.
    ...(entry === undefined ? [] : [`--entrypoint=${JSON.stringify([entry])}`]),
    image,
    ...rest,
    ...args,
  ];
}

/** Short names mean Docker Hub to Kubernetes. */
function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]/.test(first) || first === 'localhost' ? image : `docker.io/${image}`;
}

const POD_SECURITY = [
  'runAsNonRoot',
  'runAsUser',
  'runAsGroup',
  'fsGroup',
  'fsGroupChangePolicy',
  'supplementalGroups',
  'seccompProfile',
];
const CONTAINER_SECURITY = [
  'runAsNonRoot',
  'runAsUser',
  'runAsGroup',
  'seccompProfile',
  'allowPrivilegeEscalation',
  'readOnlyRootFilesystem',
  'capabilities',
  'privileged',
];

async function securityOptions(
  own: SecurityContext = {},
  spec: PodSpec,
  image: string,
  where: string,
): Promise<string[]> {
  const shared = spec.securityContext ?? {};
  onlyKnown(shared, 'pod.securityContext', POD_SECURITY);
  onlyKnown(own, `${where}.securityContext`, CONTAINER_SECURITY);
  mustBe(own.privileged, `${where}.privileged`, undefined, false);
  const seccomp = (own.seccompProfile ?? shared.seccompProfile)?.type;
  mustBe(seccomp, `${where}.seccompProfile.type`, undefined, 'RuntimeDefault', 'Unconfined');
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) await refuseRoot(user, image, where);
  if (user === undefined && group !== undefined) throw new Error(`${where} has runAsGroup without runAsUser`);
  const groups = [
    ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
    ...(shared.supplementalGroups ?? []),
  ];
  onlyKnown(own.capabilities, `${where}.capabilities`, ['add', 'drop']);
  return [
    ...(user === undefined ? [] : [`--user=${user}:${group ?? 0}`]),
    ...groups.map((each) => `--group-add=${each}`),
    ...(own.capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
    ...(own.capabilities?.add ?? []).map((name) => `--cap-add=${name}`),
    ...(own.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
    ...(own.readOnlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
    // Kubernetes' own default is no profile; podman's is the profile of the runtime.
    ...(seccomp === 'RuntimeDefault' ? [] : ['--security-opt=seccomp=unconfined']),
  ];
}

/** As the kubelet does it: a name does not tell whether it is root's. */
async function refuseRoot(user: number | undefined, image: string, where: string): Promise<void> {
  const id =
    user ?? (await podmanOutput('image', 'inspect', '--format', '{{.Config.User}}', image)).split(':')[0];
  if (!/^[1-9]\d*$/.test(String(id))) {
    throw new Error(`${where} has runAsNonRoot, and would run as ${id === '' ? 'root' : `user ${id}`}`);
  }
}

/** Limits of memory and CPU. Requests only place a pod, and disk space is counted by the kubelet, not by the kernel. */
function resourceOptions(resources: ResourceRequirements = {}, where: string): string[] {
  onlyKnown(resources, `${where}.resources`, ['requests', 'limits']);
  const known = ['cpu', 'memory', 'ephemeral-storage'];
  onlyKnown(resources.requests, `${where}.resources.requests`, known);
  onlyKnown(resources.limits, `${where}.resources.limits`, known);
  const { cpu, memory } = resources.limits ?? {};
  const bytes = memory === undefined ? undefined : Math.ceil(quantityOf(memory) ?? Number.NaN);
  return [
    ...(cpu === undefined ? [] : [`--cpus=${quantityOf(cpu)}`]),
    ...(bytes === undefined ? [] : [`--memory=${bytes}`, `--memory-swap=${bytes}`]),
  ];
}
