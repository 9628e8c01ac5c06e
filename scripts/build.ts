/**
 * Bundles each program into dist/, which needs nothing but Node.js; and the function for the SDK kpt-functions into a
 * module beside them. Then writes what belongs to the packages in them: their licences, and the bill of materials.
 *
 * The `#!` line of an entry stays the first one, as kustomize needs.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BUNDLES, type Built, bundle } from './bundles.ts';
import { renderNotices } from './notices.ts';
import { packagesOf } from './packages.ts';
import { renderSbom } from './sbom.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

const built: Built[] = [];
for (const one of BUNDLES) built.push(await bundle(root, one));
// Only now: a build that fails leaves what was there.
for (const each of built) write(each);
writeFileSync(
  join(dist, 'kpt-func.d.cts'),
  "import type { KptFunc } from 'kpt-functions';\nexport declare const expandBackups: KptFunc;\n",
);
const packages = packagesOf(root, built);
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), renderNotices(root, packages, built));
writeFileSync(join(dist, 'sbom.cdx.json'), renderSbom(root, packages, built));
console.log(`dist/THIRD-PARTY-LICENSES.txt, dist/sbom.cdx.json: ${packages.length} packages`);

function write({ bundle: { name, kind, inFolder }, files }: Built): void {
  if (inFolder) rmSync(join(dist, name), { recursive: true, force: true });
  const entry = inFolder ? `${name}/${name}.mjs` : `${name}.cjs`;
  for (const [path, content] of files) {
    mkdirSync(join(dist, dirname(path)), { recursive: true });
    writeFileSync(join(dist, path), content);
  }
  if (kind === 'program') chmodSync(join(dist, entry), 0o755);
  const kib = Math.round((files.get(entry)?.length ?? 0) / 1024);
  console.log(`dist/${inFolder ? `${name}/ ${kib} KiB and its parts` : `${entry} ${kib} KiB`}`);
}
