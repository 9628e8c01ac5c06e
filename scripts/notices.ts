/** The licences of what the bundles hold: which ones may be in them, and their texts, which have to go with them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Built } from './bundles.ts';
import { type BundledPackage, keyOf } from './packages.ts';

/** What may be bundled, and what is asked for it in turn. A test refuses anything else. */
export const ALLOWED_LICENCES: Readonly<Record<string, string>> = {
  MIT: 'its notice goes with it',
  ISC: 'its notice goes with it',
  'BSD-2-Clause': 'its notice goes with it',
  'BSD-3-Clause': 'its notice goes with it',
  'Apache-2.0': 'its text goes with it, and its NOTICE if there is one; our own licence',
  '0BSD': 'nothing',
  Unlicense: 'nothing',
  'LGPL-3.0+':
    'its text goes with it, and it must be possible to replace it: so it is a file of its own, which is loaded as it is found',
};

/** Allowed for these alone, each in files that hold nothing else. */
export const ONLY_IN_FILES_OF_THEIR_OWN: Readonly<Record<string, readonly string[]>> = {
  'LGPL-3.0+': ['openpgp'],
};

const TEXTS = /^((un)?licen[sc]e|copying|notice)/i;

/** Names and texts of the files in which a package states its licence; made of the standard text if it has none. */
export function licenceTexts(root: string, { folder, licence }: BundledPackage): string[] {
  const names = readdirSync(join(root, folder))
    .filter((name) => TEXTS.test(name))
    .sort();
  const texts = names.map((name) =>
    readFileSync(join(root, folder, name), 'utf8')
      .replaceAll('\r\n', '\n')
      .trim(),
  );
  if (texts.length > 0) return texts;
  if (licence === 'Apache-2.0') return [readFileSync(join(root, 'LICENSE'), 'utf8').trim()];
  if (licence === 'MIT') return [MIT.replace('%', `Copyright (c) ${authorOf(root, folder)}`)];
  throw new Error(`${folder} is under ${licence} and has no text of it`);
}

/** One text with all licences; packages with the same words share them. */
export function renderNotices(
  root: string,
  packages: readonly BundledPackage[],
  built: readonly Built[],
): string {
  const holders = new Map<string, BundledPackage[]>();
  for (const each of packages) {
    for (const text of licenceTexts(root, each)) holders.set(text, [...(holders.get(text) ?? []), each]);
  }
  const sections = [...holders].map(([text, those]) =>
    [...those.map((each) => `${keyOf(each)} (${each.licence})`), '', text].join('\n'),
  );
  const comments = built.flatMap(({ bundle, legalComments }) =>
    legalComments === '' ? [] : [`In the code of ${bundle.name}\n\n${legalComments.trim()}`],
  );
  return `${[HEAD, ...sections, ...comments].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

const HEAD = `The programs of Backup Maker hold code of the packages below, each under the licence that stands beneath it.

openpgp is under the GNU Lesser General Public License, version 3 or later. It is a file of its own in the folder of
the client (backup-maker/openpgp-*.mjs), not minified, and may be replaced by another version of it.
Its source: https://github.com/openpgpjs/openpgpjs`;

function authorOf(root: string, folder: string): string {
  const { author, name } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  return typeof author === 'string' ? author : (author?.name ?? `the authors of ${name}`);
}

const MIT = `The MIT License

%

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
