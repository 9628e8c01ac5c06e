/** Writes docs/dependencies.md. Apart from generate.ts, because it bundles, which what that writes is needed for. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLES, type Built, bundle } from './bundles.ts';
import { renderDependencyDocs } from './dependency-docs.ts';
import { packagesOf } from './packages.ts';

const root = join(import.meta.dirname, '..');
const built: Built[] = [];
for (const one of BUNDLES) built.push(await bundle(root, one));
writeFileSync(join(root, 'docs/dependencies.md'), renderDependencyDocs(root, packagesOf(root, built)));
