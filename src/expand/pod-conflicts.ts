/** Parts of the pod that settings would silently put another one in the place of: a backup of the wrong data, or of none. */
import type { PodTemplate } from '../../gen/types.ts';
import type { Problem } from '../api/problem.ts';
import { OPERATIONS } from '../api/procedure.ts';
import { SCRATCH_FOLDER } from './paths.ts';
import type { Plan } from './plan.ts';
import { mountsOf, SCRATCH, volumesOf } from './pod.ts';

/** Problems of both operations, as a restore should not be the first to find out. Paths are those of a ScheduledBackup. */
export function checkPodConflicts(plan: Plan, settings: PodTemplate | undefined): Problem[] {
  const volumes = new Set(
    OPERATIONS.flatMap((operation) => volumesOf(plan, operation).map(({ name }) => name)),
  );
  const mounts = new Map(
    OPERATIONS.flatMap((operation) =>
      mountsOf(plan.operations[operation]).map(({ mountPath, name }) => [mountPath, name]),
    ),
  );
  volumes.delete(SCRATCH);
  mounts.delete(SCRATCH_FOLDER);
  const named = new Set((settings?.volumes ?? []).map(({ name }) => name));
  const mounted = new Map(
    (settings?.volumeMounts ?? []).map(({ mountPath, name }) => [mountPath.replace(/(?<=.)\/+$/, ''), name]),
  );
  return [
    ...[...volumes]
      .filter((name) => named.has(name))
      .map((name): Problem => {
        const message = `the pod has a volume ${JSON.stringify(name)} of its own, which yours would replace: give yours another name. Only ${SCRATCH} may be replaced`;
        return { code: 'conflict', path: 'spec.podTemplate.volumes', message, value: name };
      }),
    ...[...mounts].flatMap(([path, name]): Problem[] => {
      const own = mounted.get(path);
      if (own === undefined || own === name || named.has(name)) return [];
      const message = `the pod has its own volume ${JSON.stringify(name)} at ${path}, which ${JSON.stringify(own)} would hide: mount yours elsewhere`;
      return [{ code: 'conflict', path: 'spec.podTemplate.volumeMounts', message, value: path }];
    }),
  ];
}
