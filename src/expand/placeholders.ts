/**
 * Scripts with `{{ .Params.x }}` placeholders, split into text and tags.
 *
 * The syntax is that of Go's text/template, which the original used: `{{-` and `-}}` trim white space,
 * `{{/* ... *\/}}` is a comment, quoted strings stand for themselves. Of its language only lookups are read, and a
 * few filters behind `|`; everything else is refused. Nothing of a script is ever compiled or evaluated as code.
 */

import { MOST_PROBLEMS } from '../api/problem.ts';

export interface Filter {
  name: string;
  argument?: string;
}

export type Part = { text: string } | { lookup: readonly string[]; filters: readonly Filter[]; line: number };

export interface PlaceholderError {
  line: number;
  message: string;
  code: 'syntax' | 'code-in-input';
}

export const FILTERS = ['quote', 'squote', 'default', 'upper', 'lower', 'trim'];

const STRING = /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y;
const LOOKUP = /(?:\.[A-Za-z_][\w-]*)+/y;
const WORD = /[A-Za-z]+/y;

/** Splits a script. With errors, the parts are incomplete and must not be used. */
export function parsePlaceholders(script: string): { parts: Part[]; errors: PlaceholderError[] } {
  const parts: Part[] = [];
  const errors: PlaceholderError[] = [];
  let position = 0;
  let line = 1;
  let trimNext = false;
  while (position <= script.length && errors.length < MOST_PROBLEMS) {
    const open = script.indexOf('{{', position);
    let text = script.slice(position, open < 0 ? script.length : open);
    const opensWithTrim = open >= 0 && /^\{\{-\s/.test(script.slice(open, open + 4));
    line += lineBreaks(text);
    if (trimNext) text = text.slice(pastBlanks(text, 0, 1));
    if (opensWithTrim) text = text.slice(0, pastBlanks(text, text.length - 1, -1) + 1);
    if (text !== '') parts.push({ text });
    if (open < 0) break;
    const end = tagEnd(script, open + 2);
    if (end === undefined) {
      errors.push({ line, code: 'syntax', message: '"{{" is never closed with "}}"' });
      break;
    }
    let body = script.slice(open + 2, end);
    if (opensWithTrim) body = body.slice(1);
    trimNext = /\s-$/.test(body) || /\*\/ ?-$/.test(body);
    if (trimNext) body = body.slice(0, -1);
    const part = parseTag(body.trim(), line);
    if ('message' in part) errors.push(part);
    else if (!('text' in part) || part.text !== '') parts.push(part);
    line += lineBreaks(script.slice(open, end));
    position = end + 2;
  }
  return { parts, errors };
}

/** The first position from `from` on, in either direction, that holds none of what Go trims: blanks and line ends. */
function pastBlanks(text: string, from: number, step: 1 | -1): number {
  let at = from;
  while (at >= 0 && at < text.length && ' \t\r\n'.includes(text.charAt(at))) at += step;
  return at;
}

/** Where the `}}` of a tag begins: not one inside a string or a comment. */
function tagEnd(script: string, from: number): number | undefined {
  if (/^(- )?\s*\/\*/.test(script.slice(from, from + 20))) {
    const comment = script.indexOf('*/', from);
    const end = comment < 0 ? -1 : script.indexOf('}}', comment);
    return end < 0 ? undefined : end;
  }
  for (let position = from; position < script.length; position++) {
    const char = script[position];
    if (char === '"' || char === '`') {
      STRING.lastIndex = position;
      if (!STRING.test(script)) return undefined;
      position = STRING.lastIndex - 1;
    } else if (char === '}' && script[position + 1] === '}') return position;
    else if (char === '{' && script[position + 1] === '{') return undefined;
  }
  return undefined;
}

function parseTag(body: string, line: number): Part | PlaceholderError {
  if (body.startsWith('/*')) {
    if (body.endsWith('*/')) return { text: '' };
    return { line, code: 'syntax', message: 'a comment must fill its tag: {{/* ... */}}' };
  }
  const string = match(STRING, body, 0);
  if (string === body && body !== '') return { text: unquote(string) };
  const lookup = match(LOOKUP, body, 0);
  if (lookup === undefined) return refuse(body, line);
  const filters: Filter[] = [];
  let position = lookup.length;
  while (position < body.length) {
    const bar = body.slice(position).match(/^\s*\|\s*/);
    if (!bar) return refuse(body, line);
    position += bar[0].length;
    const name = match(WORD, body, position);
    if (name === undefined || !FILTERS.includes(name)) {
      return {
        line,
        code: 'code-in-input',
        message: `unknown filter in "{{ ${shorten(body)} }}": there are ${FILTERS.join(', ')}`,
      };
    }
    position += name.length;
    const gap = body.slice(position).match(/^\s+(?=["`])/);
    const argument = gap ? match(STRING, body, position + gap[0].length) : undefined;
    if (gap && argument !== undefined) position += gap[0].length + argument.length;
    if ((name === 'default') !== (argument !== undefined)) {
      return {
        line,
        code: 'syntax',
        message:
          name === 'default' ? 'default needs a quoted text: | default "x"' : `${name} takes no argument`,
      };
    }
    filters.push({ name, ...(argument !== undefined && { argument: unquote(argument) }) });
  }
  return { lookup: lookup.slice(1).split('.'), filters, line };
}

function refuse(body: string, line: number): PlaceholderError {
  if (body === '') return { line, code: 'syntax', message: 'empty placeholder "{{ }}"' };
  return {
    line,
    code: 'code-in-input',
    message:
      `"{{ ${shorten(body)} }}" is not a lookup such as {{ .Params.name }}: nothing else is evaluated when rendering; ` +
      'write conditions in the shell, and literal braces as {{ "{{" }}',
  };
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function unquote(literal: string): string {
  if (literal.startsWith('`')) return literal.slice(1, -1);
  return literal
    .slice(1, -1)
    .replace(/\\(.)/g, (_all, char: string) => ({ n: '\n', t: '\t', r: '\r' })[char] ?? char);
}

function lineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function shorten(text: string): string {
  const oneLine = text.replace(/\s+/g, ' ');
  return oneLine.length > 60 ? `${oneLine.slice(0, 57)}...` : oneLine;
}
