/** The volumes of a pod as folders of the machine, with the owners, modes and links that the kubelet gives them. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PodSpec, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { quantityOf } from '../../../src/expand/quantity.ts';
import { filesOf, insideOf, writeVolume } from './pod-files.ts';
import { mustBe, onlyKnown, type PodObjects } from './pod-objects.ts';

export interface PodVolume {
  /** Folder of the machine. */
  path: string;
  /** Whether containers may never write to it. */
  readOnly: boolean;
}

export interface PodVolumes {
  volumes: ReadonlyMap<string, PodVolume>;
  /** Unmounts what was mounted. The folders stay. */
  remove(): void;
}

const mounted = new Set<string>();
process.on('exit', () => {
  for (const path of mounted) spawnSync('umount', ['--lazy', path]);
});

/** Makes all volumes of a pod under `folder`. An emptyDir with a size limit is full when it is reached. */
export function makeVolumes(spec: PodSpec, pod: PodObjects, folder: string): PodVolumes {
  const volumes = new Map<string, PodVolume>();
  const own: string[] = [];
  const group = spec.securityContext?.fsGroup;
  const remove = () => {
    for (const path of own.splice(0)) {
      spawnSync('umount', ['--lazy', path]);
      mounted.delete(path);
    }
  };
  try {
    for (const volume of spec.volumes ?? []) {
      const path = join(folder, volume.name);
      volumes.set(
        volume.name,
        makeVolume(volume, pod, path, group, spec.securityContext?.fsGroupChangePolicy, own),
      );
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { volumes, remove };
}

function makeVolume(
  volume: Volume,
  pod: PodObjects,
  path: string,
  group: number | undefined,
  policy: string | undefined,
  own: string[],
): PodVolume {
  const where = `volume ${volume.name}`;
  onlyKnown(volume, where, ['name', 'emptyDir', 'configMap', 'secret', 'projected', 'persistentVolumeClaim']);
  if (volume.persistentVolumeClaim) {
    onlyKnown(volume.persistentVolumeClaim, where, ['claimName', 'readOnly']);
    const { claimName, readOnly = false } = volume.persistentVolumeClaim;
    const claim = pod.claims[claimName];
    if (claim === undefined)
      throw new Error(`there is no PersistentVolumeClaim ${pod.namespace}/${claimName}`);
    if (group !== undefined && !readOnly && (policy !== 'OnRootMismatch' || !belongsTo(claim, group)))
      giveTo(claim, group, 0o660);
    return { path: claim, readOnly };
  }
  mkdirSync(path, { recursive: true });
  if (volume.emptyDir) {
    onlyKnown(volume.emptyDir, where, ['sizeLimit', 'medium']);
    const { sizeLimit, medium } = volume.emptyDir;
    mustBe(medium, `${where}.emptyDir.medium`, undefined, '', 'Memory');
    if (sizeLimit !== undefined || medium === 'Memory') {
      const size = sizeLimit === undefined ? [] : ['-o', `size=${quantityOf(sizeLimit)}`];
      execFileSync('mount', ['-t', 'tmpfs', ...size, 'tmpfs', path]);
      mounted.add(path);
      own.push(path);
    }
    chmodSync(path, 0o777);
    if (group !== undefined) giveTo(path, group, 0o660);
    return { path, readOnly: false };
  }
  const files = filesOf(volume, pod, where);
  writeVolume(path, files);
  if (group !== undefined) giveTo(path, group, 0o440);
  return { path, readOnly: true };
}

function belongsTo(path: string, group: number): boolean {
  const { gid, mode } = statSync(path);
  return gid === group && (mode & 0o2770) === 0o2770;
}

/** What fsGroup means: the group owns everything, may read or write it, and what is made in folders is the group's, too. */
function giveTo(path: string, group: number, rights: number): void {
  for (const name of ['', ...(readdirSync(path, { recursive: true }) as string[])]) {
    const file = join(path, name);
    const { uid, mode } = lstatSync(file);
    if ((mode & 0o170000) === 0o120000) lchownSync(file, uid, group);
    else {
      chownSync(file, uid, group);
      const isFolder = (mode & 0o170000) === 0o040000;
      chmodSync(file, (mode & 0o7777) | rights | (isFolder ? 0o2110 : 0));
    }
  }
}

/** The options of podman that mount a volume into a container. */
export function mountOption(mount: VolumeMount, volumes: ReadonlyMap<string, PodVolume>): string {
  onlyKnown(mount, `mount ${mount.name}`, ['name', 'mountPath', 'readOnly', 'subPath']);
  const volume = volumes.get(mount.name);
  if (!volume) throw new Error(`there is no volume ${mount.name}`);
  let source = volume.path;
  if (mount.subPath) {
    source = join(volume.path, insideOf(mount.subPath));
    if (!existsSync(source)) {
      mkdirSync(source, { recursive: true });
      chmodSync(source, statSync(volume.path).mode & 0o7777);
    }
  }
  if (`${source}${mount.mountPath}`.includes(','))
    throw new Error(`mount ${mount.name} has a comma in its path`);
  const readOnly = volume.readOnly || mount.readOnly === true;
  return `--mount=type=bind,source=${source},destination=${mount.mountPath},ro=${readOnly}`;
}
