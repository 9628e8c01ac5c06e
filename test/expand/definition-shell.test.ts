/** Values as words of a shell, read back by a real one. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentFile, quoteWord, variableWord } from '../../src/expand/definition-shell.ts';
import { escapeReferences } from '../../src/expand/environment.ts';

const test = suite('definition: shell');
const HOSTILE = [
  '',
  'plain',
  "it's",
  '"',
  '$HOME',
  '${HOME}',
  '$(id)',
  '`id`',
  '\\',
  '\\n',
  'a\nb',
  '-n',
  '*',
  '~',
  '$$',
  "'\"'$`\\",
  'ü☃',
  ' x ',
];

function evaluated(script: string): string {
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', script], {
    encoding: 'utf8',
    env: { NAME: 'va"lue $x' },
  });
  assert.is(status, 0, stderr);
  return stdout;
}

test('a quoted word is the text, whatever it is', () => {
  assert.is(
    evaluated(HOSTILE.map((text) => `printf '%s|' ${quoteWord(text)}`).join('\n')),
    `${HOSTILE.join('|')}|`,
  );
});

test('text that the kubelet would leave alone is left alone by the shell', () => {
  const words = HOSTILE.map((text) => `printf '%s|' ${variableWord(escapeReferences(text))}`);
  assert.is(evaluated(words.join('\n')), `${HOSTILE.join('|')}|`);
});

test('what the kubelet would put in place the shell puts in place', () => {
  const value = '"a" $(NAME) `b` $$(NAME) \\ $$';
  assert.is(evaluated(`printf '%s' ${variableWord(value)}`), '"a" va"lue $x `b` $(NAME) \\ $');
});

test('a file of variables is read by the shell as it was meant', () => {
  const variables = new Map(HOSTILE.map((text, index) => [`V${index}`, text]));
  const printed = [...variables.keys()].map((name) => `printf '%s|' "$${name}"`).join('\n');
  assert.is(evaluated(`${environmentFile('x', variables)}\n${printed}`), `${HOSTILE.join('|')}|`);
});

test('variables of others survive, those of the definition are replaced', () => {
  const first = environmentFile(
    'x',
    new Map([
      ['A', 'old'],
      ['B', "multi'\nline"],
    ]),
  );
  const second = environmentFile(
    'x',
    new Map([['A', 'new']]),
    `${first}C="q\\"\nr" # not an assignment\nD="q\\"\nr"\n`,
  );
  assert.is(evaluated(`${second}printf '%s|' "$A" "$B" "$D"`), `new|multi'\nline|q"\nr|`);
  assert.is(environmentFile('x', new Map([['A', 'new']]), second), second, 'a further run changes something');
});

test.run();
