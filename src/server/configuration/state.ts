/**
 * The last good state of everything configured, source by source.
 *
 * A source is what changes at once: a file, or an object of the Kubernetes API. What a source says replaces what it
 * said before, except where it cannot be understood: there, what it said before stays.
 */
import type { Snapshot } from './configuration.ts';
import { crossCheck } from './cross-checks.ts';
import type { Document } from './documents.ts';
import { type ConfiguredObject, type Reading, readObject } from './objects.ts';
import type { SecretEncoding } from './secret-data.ts';

/** How the documents of a source are read. */
export interface ReadingRules {
  readonly encoding: SecretEncoding;
  /** Name of the object that the source is about, where the place says it rather than `metadata.name`. */
  readonly name?: string;
}

interface Source {
  readonly objects: readonly ConfiguredObject[];
  readonly problems: readonly string[];
}

export class State {
  readonly #sources = new Map<string, Source>();
  #built: { snapshot: Snapshot; problems: readonly string[] } | undefined;

  /** Names of all sources that are known, also of those that cannot be read. */
  sources(): string[] {
    return [...this.#sources.keys()];
  }

  /** Takes what a source says now. Never throws. */
  update(source: string, documents: readonly Document[], rules: ReadingRules): void {
    const before = this.#sources.get(source)?.objects ?? [];
    if (documents.length === 0) {
      const problem = 'is empty: remove it if nothing is meant to be there';
      this.#set(source, { objects: before, problems: before.length > 0 ? [`${source} ${problem}`] : [] });
      return;
    }
    const objects: ConfiguredObject[] = [];
    const problems: string[] = [];
    // As long as one document cannot be told, it may be any of those that were there and are not found now.
    let unknown = false;
    const named = new Set<string>();
    for (const document of documents) {
      const reading: Reading | undefined =
        document.fault === undefined
          ? readObject(document.value, rules.encoding, rules.name)
          : { problems: [document.fault] };
      if (!reading) continue;
      const { identity, object } = reading;
      if (!identity) unknown = true;
      const kept = identity && !object ? before.find((old) => keyOf(old) === keyOf(identity)) : undefined;
      if (identity) named.add(keyOf(identity));
      const use = object ?? kept;
      if (use) objects.push(use);
      const place = documents.length > 1 ? `${source}, line ${document.line}` : source;
      const subject = identity ? `${identity.kind} ${identity.name}: ` : '';
      const outcome = object ? '' : kept ? '; its last good state stays in use' : '; it is not in use';
      for (const text of reading.problems) problems.push(`${place}: ${subject}${text}${outcome}`);
    }
    if (unknown) objects.push(...before.filter((old) => !named.has(keyOf(old))));
    this.#set(source, { objects, problems });
  }

  /** Notes that a source is there but cannot be read: what it said before stays. */
  unreadable(source: string, reason: string): void {
    const objects = this.#sources.get(source)?.objects ?? [];
    const outcome = objects.length > 0 ? 'its last good state stays in use' : 'it is not in use';
    this.#set(source, { objects, problems: [`${source} cannot be read (${reason}); ${outcome}`] });
  }

  /** Forgets a source that is gone. */
  remove(source: string): void {
    this.#sources.delete(source);
    this.#built = undefined;
  }

  snapshot(): Snapshot {
    return this.#build().snapshot;
  }

  problems(): readonly string[] {
    return this.#build().problems;
  }

  #set(source: string, value: Source): void {
    this.#sources.set(source, value);
    this.#built = undefined;
  }

  #build(): { snapshot: Snapshot; problems: readonly string[] } {
    this.#built ??= build([...this.#sources].sort(([a], [b]) => (a < b ? -1 : 1)));
    return this.#built;
  }
}

function keyOf({ kind, name }: { kind: string; name: string }): string {
  return `${kind}/${name}`;
}

function build(sources: readonly (readonly [string, Source])[]): {
  snapshot: Snapshot;
  problems: readonly string[];
} {
  const taken = new Map<string, { object: ConfiguredObject; source: string }>();
  const problems: string[] = [];
  for (const [source, { objects, problems: own }] of sources) {
    problems.push(...own);
    for (const object of objects) {
      // Two users may have different names and the same login name.
      const name = object.kind === 'BackupUser' ? object.user.name : object.name;
      const key = keyOf({ kind: object.kind, name });
      const first = taken.get(key);
      if (first) {
        problems.push(
          `${source}: ${object.kind} ${name} is also in ${first.source}, which stays in use: remove one of them`,
        );
      } else {
        taken.set(key, { object, source });
      }
    }
  }
  const all = [...taken.values()].map(({ object }) => object);
  const secrets = new Map(all.flatMap((o) => (o.kind === 'Secret' ? [[o.name, o.entries] as const] : [])));
  const snapshot: Snapshot = {
    users: new Map(all.flatMap((o) => (o.kind === 'BackupUser' ? [[o.user.name, o.user] as const] : []))),
    collections: new Map(
      all.flatMap((o) => (o.kind === 'BackupCollection' ? [[o.collection.id, o.collection] as const] : [])),
    ),
    secret: (name, entry) => secrets.get(name)?.get(entry),
  };
  return { snapshot, problems: [...problems, ...crossCheck(snapshot)] };
}
