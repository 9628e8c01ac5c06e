/** The YAML documents of one text, each read by itself, so that a broken one does not take the others with it. */
import type { JsonObject, JsonValue } from '../../krm/json.ts';
import { parseKubernetesYaml, YamlError } from '../../krm/yaml.ts';

/** A document that could be read, or a sentence that says why not. `line` (from 1) is where it begins. */
export type Document =
  | { readonly line: number; readonly value: JsonObject; readonly fault?: undefined }
  | { readonly line: number; readonly fault: string };

/** All documents that hold something; the items of Kubernetes lists one by one. Never throws. */
export function readDocuments(text: string): Document[] {
  return split(text).flatMap(({ line, text: chunk }): Document[] => {
    let value: JsonValue;
    try {
      value = parseKubernetesYaml(chunk);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      return [{ line, fault: describe(error, line) }];
    }
    return value === null ? [] : objects(value, line);
  });
}

function objects(value: JsonValue, line: number): Document[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ line, fault: 'is not a Kubernetes object: write apiVersion, kind, metadata and spec' }];
  }
  const { kind, items } = value;
  const isList = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);
  // A list within a list is no Kubernetes object either, and would nest for as long as somebody likes.
  return isList ? items.flatMap((item) => (isListLike(item) ? [] : objects(item, line))) : [{ line, value }];
}

function isListLike(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && 'items' in value;
}

/** Cuts at the lines that begin with `---`: there is none inside a value, since these are indented. */
function split(text: string): { line: number; text: string }[] {
  const chunks: { line: number; lines: string[] }[] = [{ line: 1, lines: [] }];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (/^---(\s|$)/.test(line)) chunks.push({ line: index + 1, lines: [] });
    chunks.at(-1)?.lines.push(line);
  }
  return chunks.map(({ line, lines }) => ({ line, text: lines.join('\n') }));
}

/** The parser's messages may quote the text, and the text may be a password: only those without a quotation are shown. */
function describe(error: YamlError, firstLine: number): string {
  const detail = /^[A-Za-z ,()-]+$/.test(error.message) ? `: ${error.message}` : '';
  return `is not valid YAML at line ${firstLine + error.line - 1}${detail}`;
}
