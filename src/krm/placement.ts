/**
 * Decides the files of generated objects, as kpt wants to be told: a path relative to the package, an index that
 * no other object of that file has, and the package itself if the source names one.
 */
import { posix } from 'node:path';
import type { Item } from './item.ts';
import { filePlace } from './result.ts';

const packagePath = 'internal.config.kubernetes.io/package-path';

/** Hands out places in files, counting up from what the files hold already. */
export class Placement {
  readonly #folder: string;
  readonly #remaining: readonly Item[];
  #next: Map<string, number> | undefined;

  /** `remaining` are the items that stay: they keep their places. */
  constructor(remaining: readonly Item[], folder: string) {
    this.#folder = folder;
    this.#remaining = remaining;
  }

  /**
   * The annotations that put one more object into `<folder of the source>/<output folder>/<source>.yaml`; none if
   * there is no source or it came from no file. The path never leaves the package.
   */
  next(source: Item | undefined): Record<string, string> {
    const origin = source && filePlace(source).path;
    if (origin === undefined) return {};
    const file = `${source?.identity.name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}.yaml`;
    const path = posix.join('/', posix.dirname(origin), this.#folder, file).slice(1);
    const inPackage = source?.annotations[packagePath];
    this.#next ??= this.#occupied();
    const key = placeKey(inPackage, path);
    const index = this.#next.get(key) ?? 0;
    this.#next.set(key, index + 1);
    return {
      'internal.config.kubernetes.io/path': path,
      'internal.config.kubernetes.io/index': String(index),
      ...(inPackage !== undefined && { [packagePath]: inPackage }),
    };
  }

  #occupied(): Map<string, number> {
    const next = new Map<string, number>();
    const folder = posix.normalize(this.#folder).replaceAll(/^[./]+|\/+$/g, '');
    for (const item of this.#remaining) {
      // Cheap first: hardly any item is in an output folder.
      if (!item.mentions(folder)) continue;
      const { path, index = 0 } = filePlace(item);
      if (path === undefined) continue;
      const key = placeKey(item.annotations[packagePath], posix.normalize(path));
      next.set(key, Math.max(next.get(key) ?? 0, index + 1));
    }
    return next;
  }
}

function placeKey(inPackage: string | undefined, path: string): string {
  return `${inPackage ?? ''}\n${path}`;
}
