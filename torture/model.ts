/**
 * The version store as it should be: what was acknowledged, what was refused, and what nobody can know because the answer was lost.
 *
 * An operation that nobody can know of may have happened or not, but never half. Once everything is quiet again, `settle` holds what
 * the store shows against all that, says what cannot be, and from then on believes what it saw.
 */
import { type Policy, type Rotated, rotatedAway } from './rotation.ts';

export type Outcome = 'yes' | 'no' | 'unknown';

/** One upload of this round. Its content is unlike that of all others. */
export interface Upload {
  /** SHA-256 of what the user backed up. */
  content: string;
  outcome: Outcome;
  /** Known if the answer came. */
  number?: number;
}

/** A version as the store shows it. */
export interface Seen extends Rotated {
  /** SHA-256 of the bytes as stored. */
  sha256: string;
  /** SHA-256 of what is inside, as a reader with the key gets it; empty if it cannot be read. */
  content: string;
}

interface Collection {
  policy: Policy;
  /** The last number that was ever given out. */
  last: number;
  live: Map<number, Seen>;
  uploads: Upload[];
  removals: Map<number, Outcome>;
  /** Per version, what it was told to be in this round; `undefined`: both, or nobody knows. */
  pins: Map<number, boolean | undefined>;
}

/** What is known of the end of a round. */
export interface Quiet {
  /** Number of an upload that was stored when everything else was over. */
  barrier: number;
  /** The latest time that a server's clock showed until then. */
  latest: number;
}

export class Model {
  readonly #collections = new Map<string, Collection>();

  constructor(policies: Readonly<Record<string, Policy>>) {
    for (const [name, policy] of Object.entries(policies)) {
      const empty = { live: new Map(), uploads: [], removals: new Map(), pins: new Map() };
      this.#collections.set(name, { policy, last: 0, ...empty });
    }
  }

  /** As of the last time that everything was quiet, oldest first. */
  live(collection: string): Seen[] {
    return [...this.#of(collection).live.values()];
  }

  /** Of this round. */
  uploads(collection: string): readonly Upload[] {
    return this.#of(collection).uploads;
  }

  /** Content of this collection that a download may give: none that was refused, none of anybody else. */
  mayHold(collection: string, number: number, content: string): boolean {
    const { live, uploads } = this.#of(collection);
    const known = live.get(number);
    if (known) return known.content === content;
    return uploads.some(
      (upload) =>
        upload.outcome !== 'no' && upload.content === content && (upload.number ?? number) === number,
    );
  }

  /**
   * What a list may show that is asked for after this call: no version that is known to be gone by now. One that is deleted while the
   * list is under way may still be in it.
   */
  mayShow(collection: string): (number: number) => boolean {
    const { last, live, removals } = this.#of(collection);
    const gone = new Set([...removals.keys()].filter((number) => removals.get(number) === 'yes'));
    return (number) => number > last || (live.has(number) && !gone.has(number));
  }

  begin(collection: string, content: string): Upload {
    const upload: Upload = { content, outcome: 'unknown' };
    this.#of(collection).uploads.push(upload);
    return upload;
  }

  /** What is known of a deletion by hand; what is known stays known. */
  removing(collection: string, number: number, outcome: Outcome): void {
    const { removals } = this.#of(collection);
    if (removals.get(number) !== 'yes' && (outcome !== 'no' || !removals.has(number)))
      removals.set(number, outcome);
  }

  /** Called once the answer is there, or is known to be lost. */
  pinning(collection: string, number: number, pinned: boolean, outcome: Outcome): void {
    if (outcome === 'no') return;
    const { pins } = this.#of(collection);
    const sure = outcome === 'yes' && (!pins.has(number) || pins.get(number) === pinned);
    pins.set(number, sure ? pinned : undefined);
  }

  /** Everything that cannot be. The list was asked for after the barrier was stored. */
  settle(name: string, seen: readonly Seen[], quiet: Quiet): string[] {
    const collection = this.#of(name);
    const faults = [
      ...this.#strangers(collection, seen, quiet),
      ...this.#numbers(collection, seen, quiet),
      ...this.#missing(collection, seen, quiet),
      ...this.#remaining(collection, seen, quiet),
    ].map((fault) => `${name}: ${fault}`);
    this.#believe(collection, seen, quiet.barrier);
    return faults;
  }

  /** What rotation must leave of what is live if a version is stored now and nothing else happens. */
  afterUpload(name: string, added: Rotated): number[] {
    const { policy, live } = this.#of(name);
    const all = [...live.values(), added];
    const gone = rotatedAway(policy, all, added.createdAt);
    return all.map(({ number }) => number).filter((number) => !gone.includes(number));
  }

  /** Nothing is shown that was not stored, or not as it was. */
  #strangers(
    { last, live, uploads, removals }: Collection,
    seen: readonly Seen[],
    { barrier }: Quiet,
  ): string[] {
    return seen.flatMap(({ number, sha256, content }) => {
      const before = live.get(number);
      if (removals.get(number) === 'yes') return [`version ${number} was deleted and is there again`];
      if (before && before.sha256 !== sha256) return [`version ${number} is not what it was`];
      if (before) return [];
      if (number <= last) return [`version ${number} was gone and is there again`];
      if (number > barrier) return [`version ${number} came after everything was over`];
      const upload = uploads.find((each) => each.content === content);
      if (!upload) return [`version ${number} is half of something, or nobody's`];
      if (upload.outcome === 'no') return [`version ${number} was refused and is there`];
      if (upload.number !== undefined && upload.number !== number)
        return [`version ${number} was acknowledged as ${upload.number}`];
      return [];
    });
  }

  /** Every number is given out once, and to one upload. */
  #numbers({ last, uploads }: Collection, seen: readonly Seen[], { barrier }: Quiet): string[] {
    const faults: string[] = [];
    const given = new Map<number, string>();
    const give = (number: number, content: string) => {
      const other = given.get(number);
      if (other !== undefined && other !== content) faults.push(`version ${number} was given to two uploads`);
      given.set(number, content);
    };
    for (const { number, content } of uploads) if (number !== undefined) give(number, content);
    for (const { number, content } of seen) if (number > last) give(number, content);
    const contents = [...given.values()];
    if (new Set(contents).size < contents.length) faults.push('an upload was stored twice');
    for (const number of given.keys())
      if (number <= last || number > barrier)
        faults.push(`the number ${number} was used again, or out of turn`);
    let spare = uploads.filter(
      ({ outcome, content }) => outcome === 'unknown' && !contents.includes(content),
    ).length;
    for (let number = last + 1; number <= barrier; number++)
      if (!given.has(number) && spare-- <= 0)
        faults.push(`nobody uploaded version ${number}, and the number is taken`);
    return faults;
  }

  /** What is missing was deleted by hand, or rotation was allowed to remove it. */
  #missing(collection: Collection, seen: readonly Seen[], { barrier, latest }: Quiet): string[] {
    const { policy, live, last, uploads, removals, pins } = collection;
    const shown = new Set(seen.map(({ number }) => number));
    const existed = [...live.keys()];
    for (let number = last + 1; number <= barrier; number++) existed.push(number);
    const kept = (number: number) => live.get(number)?.pinned === true && !pins.has(number);
    const acknowledged = new Set(uploads.map(({ number }) => number));
    const emptied =
      live.size > 0 && barrier === last + 1 && [...live.keys()].every((each) => removals.get(each) === 'yes');
    const faults = emptied ? ['the last version was deleted, and nobody had forced it'] : [];
    return existed
      .flatMap((number) => {
        if (shown.has(number)) return [];
        // A deletion by hand leaves a pinned version alone, too.
        if (kept(number) || pins.get(number) === true) return [`version ${number} was pinned and is gone`];
        if ((removals.get(number) ?? 'no') !== 'no') return [];
        // Of those that nobody heard of, nothing was promised; that they are whole if they are shown is checked elsewhere.
        if (!live.has(number) && !acknowledged.has(number)) return [];
        const newer = existed.filter((other) => other > number && !kept(other)).length;
        if (newer < policy.newest) return [`version ${number} is lost: only ${newer} newer ones ever were`];
        const createdAt = live.get(number)?.createdAt;
        if (createdAt !== undefined && latest - createdAt < (policy.minAgeMs ?? 0))
          return [`version ${number} was rotated away too young`];
        return [];
      })
      .concat(faults);
  }

  /** What is there has to be there: the barrier's rotation has left nothing to rotate, and marks are as they were set. */
  #remaining({ policy, live, pins }: Collection, seen: readonly Seen[], { barrier }: Quiet): string[] {
    const stored = seen.find(({ number }) => number === barrier);
    if (!stored) return [`version ${barrier} was stored last and is lost`];
    const wrong = seen.filter(({ number, pinned }) => {
      const told = pins.has(number) ? pins.get(number) : (live.get(number)?.pinned ?? false);
      return told !== undefined && told !== pinned;
    });
    return [
      ...rotatedAway(policy, seen, stored.createdAt).map(
        (number) => `version ${number} was not rotated away`,
      ),
      ...wrong.map(({ number, pinned }) => `version ${number} is ${pinned ? '' : 'not '}pinned`),
    ];
  }

  #believe(collection: Collection, seen: readonly Seen[], barrier: number): void {
    collection.last = Math.max(collection.last, barrier, ...seen.map(({ number }) => number));
    collection.live = new Map(seen.map((version) => [version.number, version]));
    collection.uploads = [];
    collection.removals.clear();
    collection.pins.clear();
  }

  #of(name: string): Collection {
    const collection = this.#collections.get(name);
    if (!collection) throw new Error(`there is no collection ${name}`);
    return collection;
  }
}
