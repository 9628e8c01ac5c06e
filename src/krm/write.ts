/** Writes a ResourceList around the text of the one that was read. */
import { emitItem, emitJson, emitYaml } from './emit.ts';
import { Item } from './item.ts';
import type { JsonObject } from './json.ts';
import { section } from './layout.ts';
import type { ResourceList } from './resource-list.ts';
import { type Result, resultValue } from './result.ts';

/**
 * The text of a ResourceList with these items and results, and with everything else as it was read.
 *
 * Items that were read are written byte for byte; runs of neighbours come straight from the input with all that
 * stands between them. Plain objects are written in the style of the list. There is exactly one document, always
 * an `items:` member, and a `results:` member only if there are results.
 *
 * @throws {TypeError} if an object holds a number that JSON cannot hold.
 */
export function writeResourceList(
  list: ResourceList,
  outputs: readonly (Item | JsonObject)[],
  results: readonly Result[],
): string {
  const { layout } = list;
  if (results.length === 0 && isUnchanged(list, outputs)) return layout.text;
  const items = layout.root === 'block' ? blockItems(list, outputs) : flowItems(list, outputs, '');
  const sections = layout.sections.filter(({ key }) => key !== 'results');
  const texts = sections.map(({ key, text }) => (key === 'items' ? items : text));
  if (!section(layout, 'items')) texts.push(items);
  if (layout.root === 'flow') {
    if (results.length > 0) texts.push(`"results": ${emitJson(results.map(resultValue))}`);
    return `${layout.preamble}{\n${texts.join(',\n')}\n}\n`;
  }
  if (results.length > 0) {
    const pad = ' '.repeat(layout.keyColumn);
    texts.push(`${pad}results:\n${emitYaml(results.map(resultValue), layout.keyColumn)}`);
  }
  const last = texts.length - 1;
  return layout.preamble + texts.map((text, index) => (index < last ? endLine(text) : text)).join('');
}

/** Whether the input's own text is what would be written: the usual case of a list without anything to expand. */
function isUnchanged({ layout, items }: ResourceList, outputs: readonly (Item | JsonObject)[]): boolean {
  const { text, preamble, sections, starts, ends, itemColumn } = layout;
  if (layout.root === 'flow' || layout.style === 'flow' || section(layout, 'results')) return false;
  const [start] = starts;
  const end = ends.at(-1);
  if (start === undefined || end === undefined || outputs.length !== items.length) return false;
  // Nothing of the text, such as an end-of-document mark, may stand outside of what is written.
  const parts = [preamble.length, itemColumn, end - start, ...sections.map((member) => member.text.length)];
  if (parts.reduce((sum, length) => sum + length) !== text.length) return false;
  return outputs.every((output, index) => output === items[index]);
}

function blockItems(list: ResourceList, outputs: readonly (Item | JsonObject)[]): string {
  const { layout } = list;
  const { itemColumn } = layout;
  const key = `${' '.repeat(layout.keyColumn)}items:`;
  if (outputs.length === 0) return `${key} []\n`;
  if (layout.style === 'flow')
    return `${key} ${flowItems(list, outputs, ' '.repeat(layout.keyColumn + 2))}\n`;
  const header = layout.starts.length > 0 ? section(layout, 'items')?.text : undefined;
  const pad = ' '.repeat(itemColumn);
  const texts = pieces(list, outputs, (value) => emitItem(value, itemColumn), itemColumn);
  const last = texts.length - 1;
  const body = texts.map((text, index) => pad + (index < last ? endLine(text) : text)).join('');
  return (header ?? `${key}\n`) + body;
}

function flowItems(list: ResourceList, outputs: readonly (Item | JsonObject)[], pad: string): string {
  const texts = pieces(list, outputs, emitJson, -1);
  const key = list.layout.root === 'flow' ? '"items": ' : '';
  return texts.length === 0 ? `${key}[]` : `${key}[\n${texts.map((text) => pad + text).join(',\n')}\n${pad}]`;
}

/** The texts of the outputs, a run of neighbours from the input as one. */
function pieces(
  list: ResourceList,
  outputs: readonly (Item | JsonObject)[],
  emit: (value: JsonObject) => string,
  column: number,
): string[] {
  const { text, starts, ends } = list.layout;
  const texts: string[] = [];
  for (let index = 0; index < outputs.length; index++) {
    const output = outputs[index];
    if (!output) continue;
    if (!(output instanceof Item)) {
      texts.push(emit(output));
    } else if (list.items[output.position] === output) {
      const { position } = output;
      let run = position;
      while (run + 1 < list.items.length && outputs[index + 1] === list.items[run + 1]) {
        run++;
        index++;
      }
      texts.push(text.slice(starts[position], ends[run]));
    } else {
      texts.push(output.column === column ? output.raw : emit(output.value()));
    }
  }
  return texts;
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
