/**
 * Where the parts of a ResourceList stand in its text. Two slicers find them: `slice-lines.ts`, fast, for the one
 * shape that kpt and kustomize write, and `slice-cst.ts`, exact, for everything else that is valid.
 */

/** A top-level member of the ResourceList. */
export interface Section {
  /** Its key, unquoted. */
  readonly key: string;
  /**
   * Block root: complete lines, from the key's line up to the next key's line. Flow root: from key to the value's
   * end. For `items` in block style only the lines above the first `-`.
   */
  readonly text: string;
}

/** The parts of one ResourceList; offsets are UTF-16 code units of `text`. */
export interface Layout {
  /** The whole input, less a byte order mark. */
  readonly text: string;
  /** How the ResourceList itself is written: `flow` is `{…}`, as in JSON. */
  readonly root: 'block' | 'flow';
  /** How the list of items is written: `flow` is `[…]`. An empty or absent list counts as the root does. */
  readonly style: 'block' | 'flow';
  /** Comments, directives and document markers above the first key. */
  readonly preamble: string;
  /** All top-level members, in order. */
  readonly sections: readonly Section[];
  /** Column of the top-level keys; 0 in practice. */
  readonly keyColumn: number;
  /** Column of every item's `-`; in flow style, or without items, where the key stands. */
  readonly itemColumn: number;
  /** Where each item's text starts: at its `-` in block style, at its value in flow style. */
  readonly starts: readonly number[];
  /**
   * Where it ends. Block: where the next item's line starts, so comments between belong to the item above them;
   * for the last item, where the next top-level key's line starts. Flow: the value's end.
   */
  readonly ends: readonly number[];
}

/** The member of that name, if there is one. */
export function section(layout: Layout, key: string): Section | undefined {
  return layout.sections.find((member) => member.key === key);
}
