import type { Item } from './item.ts';
import type { JsonObject } from './json.ts';

/** What was generated from one source. */
export interface Generated {
  /** Value of the ownership annotation; its part before the first `/` is the source's kind. */
  owner: string;
  /** Values that earlier runs may have written for the same source, before it was renamed or prefixed. */
  formerOwners?: readonly string[];
  /** The source; decides about files and is named in results. */
  source: Item | undefined;
  /** The objects, in order. They are not changed. */
  objects: readonly JsonObject[];
}

/** How this function marks and places what it generates. */
