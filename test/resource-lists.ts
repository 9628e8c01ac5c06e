/** ResourceLists for tests, made from the files that a user would write. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expandBackups } from '../src/expand/expand.ts';
import type { JsonObject } from '../src/krm/json.ts';
import { readResourceList } from '../src/krm/resource-list.ts';
import { type Outcome, runFunction } from '../src/krm/run.ts';

export const fixtures = join(import.meta.dirname, '..', 'fixtures');

/** Splits a file into its YAML documents, each as it is written. Documents of nothing but comments are left out. */
export function documentsOf(text: string): string[] {
  return text
    .split(/^---[ \t]*\n/m)
    .map((document) => document.replace(/\n+$/, '\n'))
    .filter((document) => /^[^#\s]/m.test(document));
}

/** A ResourceList of these documents. Their text is indented, never printed anew, as kpt and kustomize do. */
export function resourceList(documents: readonly string[], config?: string): string {
  const items = documents.map((document) => `- ${indent(document).slice(2)}`);
  return [
    'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n',
    items.length === 0 ? 'items: []\n' : `items:\n${items.join('')}`,
    config === undefined ? '' : `functionConfig:\n${indent(config)}`,
  ].join('');
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ').replace(/\n?$/, '\n');
}

/** Runs the function over a text. */
export function expand(input: string | Uint8Array): Outcome {
  return runFunction(typeof input === 'string' ? new TextEncoder().encode(input) : input, expandBackups);
}

/** Runs the function over the documents of a file. */
export function expandText(text: string, config?: string): Outcome {
  return expand(resourceList(documentsOf(text), config));
}

/** The items of a ResourceList as plain data. */
export function objectsOf(list: string): JsonObject[] {
  return readResourceList(list).items.map((item) => item.value());
}

/** The objects that a run generated; fails if the run did. */
export function generate(text: string, config?: string): JsonObject[] {
  const outcome = expandText(text, config);
  if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
  return objectsOf(outcome.stdout).filter(isGenerated);
}

export function isGenerated(object: JsonObject): boolean {
  const { annotations } = object.metadata as { annotations?: Record<string, string> };
  return annotations?.['riotkit.org/generated-by'] !== undefined;
}

export interface GoodCase {
  name: string;
  folder: string;
  input: string;
  config: string | undefined;
}

/** The cases under fixtures/good. */
export function goodCases(): GoodCase[] {
  const root = join(fixtures, 'good');
  return readdirSync(root)
    .sort()
    .map((name) => {
      const folder = join(root, name);
      const files = readdirSync(folder);
      return {
        name,
        folder,
        input: readFileSync(join(folder, 'input.yaml'), 'utf8'),
        config: files.includes('config.yaml') ? readFileSync(join(folder, 'config.yaml'), 'utf8') : undefined,
      };
    });
}

/** What a case sends to the function. */
export function inputOf({ input, config }: GoodCase): string {
  return resourceList(documentsOf(input), config);
}
