/**
 * In which points a pod leaves the *restricted* Pod Security Standard. Ours meet it; settings that a user merges over
 * them may not, and a cluster that enforces the standard then refuses the pod, silently from Git's point of view.
 */
import type { Container, PodSpec } from 'kubernetes-types/core/v1.d.ts';

const ALLOWED_VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

/** One sentence each; empty if the pod is restricted. */
export function restrictedViolations(spec: PodSpec): string[] {
  const found: string[] = [];
  for (const volume of spec.volumes ?? []) {
    const source = Object.keys(volume).find((key) => key !== 'name');
    if (source && !ALLOWED_VOLUMES.has(source)) found.push(`volume ${volume.name} is a ${source}`);
  }
  if ((spec.securityContext?.sysctls ?? []).length > 0) found.push('sysctls are set');
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    found.push(...containerViolations(container, spec).map((what) => `container ${container.name} ${what}`));
  }
  return found;
}

function containerViolations(container: Container, pod: PodSpec): string[] {
  const own = container.securityContext ?? {};
  const shared = pod.securityContext ?? {};
  const found: string[] = [];
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) found.push('may run as root');
  if ((own.runAsUser ?? shared.runAsUser) === 0) found.push('runs as user 0');
  if (own.privileged) found.push('is privileged');
  if (own.allowPrivilegeEscalation !== false) found.push('allows privilege escalation');
  if (!own.capabilities?.drop?.includes('ALL')) found.push('keeps capabilities');
  if (own.capabilities?.add?.some((name) => name !== 'NET_BIND_SERVICE')) found.push('adds capabilities');
  const seccomp = (own.seccompProfile ?? shared.seccompProfile)?.type;
  if (seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost') found.push('has no seccomp profile');
  return found;
}
