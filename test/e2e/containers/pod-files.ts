/** The files of a volume that ConfigMaps and Secrets fill, as the kubelet writes them. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { KeyToPath, ProjectedVolumeSource, Volume } from 'kubernetes-types/core/v1.d.ts';
import { entriesOf, onlyKnown, type PodObjects } from './pod-objects.ts';

/** Content and mode of each file, by its path. */
export type Files = Map<string, { bytes: Buffer; mode: number }>;

const ENTRY_FIELDS = ['name', 'secretName', 'items', 'optional', 'defaultMode'];

/** Throws if an object or entry that is not optional is missing. */
export function filesOf(volume: Volume, pod: PodObjects, where: string): Files {
  if (volume.projected) return projectedFiles(volume.projected, pod, where);
  const files: Files = new Map();
  const source = volume.secret ?? volume.configMap;
  if (!source) throw new Error(`${where} has no source`);
  onlyKnown(source, where, ENTRY_FIELDS);
  const [kind, name] = volume.secret
    ? (['Secret', volume.secret.secretName] as const)
    : (['ConfigMap', volume.configMap?.name] as const);
  addEntries(files, pod, { kind, name: name ?? '', ...source, mode: source.defaultMode ?? 0o644, where });
  return files;
}

function projectedFiles(projected: ProjectedVolumeSource, pod: PodObjects, where: string): Files {
  onlyKnown(projected, where, ['sources', 'defaultMode']);
  const files: Files = new Map();
  for (const each of projected.sources ?? []) {
    onlyKnown(each, `${where}.sources`, ['secret', 'configMap']);
    const source = each.secret ?? each.configMap ?? {};
    onlyKnown(source, `${where}.sources`, ['name', 'items', 'optional']);
    const kind = each.secret ? 'Secret' : 'ConfigMap';
    addEntries(files, pod, {
      ...source,
      kind,
      name: source.name ?? '',
      mode: projected.defaultMode ?? 0o644,
      where,
    });
  }
  return files;
}

function addEntries(
  files: Files,
  pod: PodObjects,
  source: {
    kind: 'Secret' | 'ConfigMap';
    name: string;
    items?: KeyToPath[];
    optional?: boolean;
    mode: number;
    where: string;
  },
): void {
  const { kind, name, items, optional = false, mode, where } = source;
  const entries = entriesOf(pod, kind, name);
  if (!entries && !optional) throw new Error(`${where}: there is no ${kind} ${pod.namespace}/${name}`);
  for (const item of items ?? [...(entries?.keys() ?? [])].map((key): KeyToPath => ({ key, path: key }))) {
    onlyKnown(item, `${where}.items`, ['key', 'path', 'mode']);
    const bytes = entries?.get(item.key);
    if (bytes) files.set(insideOf(item.path), { bytes, mode: item.mode ?? mode });
    else if (!optional)
      throw new Error(`${where}: ${kind} ${pod.namespace}/${name} has no entry ${item.key}`);
  }
}

/** Files are links into a folder with a date, which the kubelet exchanges as a whole; scripts may trip over that. */
export function writeVolume(path: string, files: Files): void {
  const data = '..2026_01_01_00_00_00.0000000001';
  mkdirSync(join(path, data));
  for (const [name, { bytes, mode }] of files) {
    mkdirSync(dirname(join(path, data, name)), { recursive: true });
    writeFileSync(join(path, data, name), bytes);
    chmodSync(join(path, data, name), mode);
  }
  symlinkSync(data, join(path, '..data'));
  for (const top of new Set([...files.keys()].map((name) => name.split('/')[0] as string)))
    symlinkSync(join('..data', top), join(path, top));
}

/** Throws for a path that leaves its folder. */
export function insideOf(path: string): string {
  const normal = normalize(path);
  if (normal.startsWith('/') || normal.split('/').includes('..'))
    throw new Error(`${path} leads out of the volume`);
  return normal;
}
