/** The volumes of a built-in procedure, which its parameters name. */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation, Procedure, ProcedureVolume } from '../api/procedure.ts';
import type { Found, Values } from './values.ts';

/** Volumes are part of the manifest: what is only known in the pod cannot be mounted, and the backup would be one of something else. */
export function unknownVolumes(
  procedure: Procedure,
  operation: Operation,
  values: Values,
  texts: ReadonlyMap<string, string>,
): Problem[] {
  const names = volumesOf(procedure, operation).flatMap(({ claim, subPath }) =>
    subPath === undefined ? [claim] : [claim, subPath],
  );
  const unknown = names.filter((name) => !texts.has(name) && isGiven(values.find(['Params', name])));
  return unknown.map((name) => ({
    code: 'unsupported',
    path: `spec.vars.Params.${name}`,
    message:
      'says what is mounted, which has to be known when the manifests are made: write the value itself, neither as a variable nor in a Secret',
  }));
}

/** A map is another mistake, and told as such. */
function isGiven(found: Found): boolean {
  if (found === undefined || 'map' in found) return false;
  return 'secret' in found || found.text !== '';
}

function volumesOf({ volumes = [] }: Procedure, operation: Operation): ProcedureVolume[] {
  return volumes.filter((volume) => (volume.operation ?? operation) === operation);
}

/** The claims that an operation mounts. */
export function planVolumes(
  procedure: Procedure,
  operation: Operation,
  texts: ReadonlyMap<string, string>,
): { volumes: Volume[]; volumeMounts: VolumeMount[] } {
  const used = volumesOf(procedure, operation).filter((volume) => texts.has(volume.claim));
  return {
    volumes: used.map((volume) => ({
      name: volume.name,
      persistentVolumeClaim: { claimName: texts.get(volume.claim) ?? '' },
    })),
    volumeMounts: used.map((volume) => {
      const subPath = volume.subPath === undefined ? undefined : texts.get(volume.subPath);
      return {
        name: volume.name,
        mountPath: volume.mountPath,
        ...(subPath && { subPath }),
        ...(isReadOnly(volume, operation) && { readOnly: true }),
      };
    }),
  };
}

function isReadOnly(volume: ProcedureVolume, operation: Operation): boolean {
  return volume.readOnly === 'always' || volume.readOnly === operation;
}
