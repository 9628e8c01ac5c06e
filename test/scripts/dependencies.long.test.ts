/** What is in the programs: its licences, its install scripts, the bill of materials, and the page that lists it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BUNDLES, type Built, bundle } from '../../scripts/bundles.ts';
import { renderDependencyDocs } from '../../scripts/dependency-docs.ts';
import {
  ALLOWED_LICENCES,
  licenceTexts,
  ONLY_IN_FILES_OF_THEIR_OWN,
  renderNotices,
} from '../../scripts/notices.ts';
import {
  type BundledPackage,
  keyOf,
  lockedPackages,
  manifestOf,
  packagesOf,
} from '../../scripts/packages.ts';
import { renderSbom } from '../../scripts/sbom.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Component {
  type: string;
  name: string;
  version?: string;
  'bom-ref': string;
  purl?: string;
  hashes?: { alg: string; content: string }[];
  components?: Component[];
}
interface Sbom {
  serialNumber: string;
  metadata: object;
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

let built: Built[] = [];
let packages: BundledPackage[] = [];
let sbom: Sbom;
const test = suite('dependencies');
test.before(async () => {
  built = await Promise.all(BUNDLES.map((one) => bundle(root, one)));
  packages = packagesOf(root, built);
  sbom = JSON.parse(renderSbom(root, packages, built));
});

test('every package of which a program holds code is known, and no other', () => {
  // Client and server are readable: esbuild writes the name of each file above what it took from it.
  const seen = new Set<string>();
  for (const { files, bundle: one } of built) {
    if (!one.inFolder) continue;
    for (const content of files.values()) {
      const names = Buffer.from(content)
        .toString()
        .matchAll(/^\/\/ (node_modules\/.*)$/gm);
      for (const [, file = ''] of names)
        seen.add(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? '');
    }
  }
  const key = (folder: string) =>
    keyOf(lockedPackages(root).find((each) => each.folder === folder) ?? { name: folder, version: '?' });
  assert.ok(seen.size > 100);
  assert.equal([...new Set([...seen].map(key))].sort(), packages.map(keyOf).sort());
  for (const absent of ['esbuild', 'node', 'fast-check', 'bare-path'])
    assert.not(
      packages.some(({ name }) => name === absent),
      absent,
    );
});

test('the function holds nothing but yaml', () => {
  const held = packages.filter(({ bundles }) => bundles.includes('expand-backups'));
  assert.equal(
    held.map(({ name }) => name),
    ['yaml'],
  );
});

test('no program holds code under a licence that is not allowed', () => {
  const refused = packages.filter(({ licence }) => !(licence in ALLOWED_LICENCES));
  assert.equal(refused.map(keyOf), []);
});

test('code under the LGPL is in files of its own, so that it can be replaced', () => {
  let found = 0;
  for (const each of packages) {
    const names = ONLY_IN_FILES_OF_THEIR_OWN[each.licence];
    if (!names) continue;
    found++;
    assert.ok(names.includes(each.name), `${keyOf(each)} is under ${each.licence}`);
    for (const { metafile } of built) {
      for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
        const held = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
        if (!held.some(([input]) => input.startsWith(`${each.folder}/`))) continue;
        // Modules of Node.js, see scripts/quiet-builtins.ts, are nobody's code.
        const strangers = held
          .map(([input]) => input)
          .filter((input) => !input.startsWith(`${each.folder}/`) && !input.startsWith('builtin:'));
        assert.equal(strangers, [], output);
      }
    }
  }
  assert.is(found, 1);
});

test('nothing that is in a program runs anything when it is installed, and only named packages may', () => {
  assert.equal(packages.filter(({ hasInstallScript }) => hasInstallScript).map(keyOf), []);
  const scripts = lockedPackages(root).filter(({ hasInstallScript }) => hasInstallScript);
  assert.equal(scripts.map(({ name }) => name).sort(), Object.keys(manifestOf(root).allowScripts).sort());
  assert.match(read('Dockerfile'), 'npm ci --ignore-scripts');
});

test('every archive has its hash in the lock file, and no address that is not ours to give', () => {
  for (const each of lockedPackages(root)) assert.match(each.integrity, /^sha512-[\w+/]{86}==$/, keyOf(each));
  assert.not.match(read('package-lock.json'), '"resolved"');
});

test('versions are exact', () => {
  const { dependencies, devDependencies } = manifestOf(root);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
});

test('the notices hold the licence of every package, and the comments that ask to be kept', () => {
  const notices = renderNotices(root, packages, built);
  for (const each of packages) {
    assert.ok(notices.includes(`${keyOf(each)} (${each.licence})`), keyOf(each));
    for (const text of licenceTexts(root, each)) {
      assert.ok(text.length > 300, keyOf(each));
      assert.ok(notices.includes(text), keyOf(each));
    }
  }
  // Of code that packages themselves took from others.
  assert.match(notices, '/*! ws. MIT License. Einar Otto Stangvik');
  assert.match(notices, /openpgp@[\d.]+ \(LGPL-3\.0\+\)\n\nGNU LESSER GENERAL PUBLIC LICENSE/);
});

test('licences and bill of materials go into the image, and into the package', () => {
  const dockerfile = read('Dockerfile');
  for (const file of ['THIRD-PARTY-LICENSES.txt', 'sbom.cdx.json'])
    assert.match(
      dockerfile,
      new RegExp(`COPY --from=build .*/src/dist/${file}.* /usr/share/doc/backup-maker/`),
    );
  assert.ok(JSON.parse(read('package.json')).files.includes('dist'));
});

test('the bill of materials is valid CycloneDX 1.6', () => {
  const folder = 'node_modules/@cyclonedx/cyclonedx-library/res/schema';
  const schemaOf = (name: string) => JSON.parse(read(`${folder}/${name}.SNAPSHOT.schema.json`));
  const ajv = new Ajv({ strict: false, validateFormats: false });
  // Under the names by which they refer to each other.
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema({ ...schemaOf(name), $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json` });
  const validate = ajv.compile(schemaOf('bom-1.6'));
  assert.ok(validate(sbom), JSON.stringify(validate.errors?.slice(0, 3)));
  assert.not(validate({ ...sbom, components: [{ name: 'no type' }] }), 'and the schema would notice');
});

test('the bill of materials lists what is bundled, the Node.js of the image, and every file with its hash', () => {
  const { components, dependencies } = sbom;
  const purls = components.flatMap(({ purl }) => purl ?? []);
  assert.equal(
    purls.sort(),
    [
      ...packages.map(({ name, version }) => `pkg:npm/${name.replace('@', '%40')}@${version}`),
      `pkg:generic/node@${manifestOf(root).devDependencies.node}`,
    ].sort(),
  );
  assert.match(read('Dockerfile'), `node:${manifestOf(root).devDependencies.node}-`);
  for (const { files } of built) {
    for (const [path, content] of files) {
      const listed = components
        .flatMap((each) => each.components ?? [])
        .find(({ name }) => name === `dist/${path}`);
      assert.is(listed?.hashes?.[0]?.content, createHash('sha256').update(content).digest('hex'), path);
    }
  }
  const yaml = components.find(({ name, type }) => name === 'yaml' && type === 'library');
  const locked = JSON.parse(read('package-lock.json')).packages['node_modules/yaml'].integrity.slice(
    'sha512-'.length,
  );
  assert.is(yaml?.hashes?.[0]?.content, Buffer.from(locked, 'base64').toString('hex'));
  const refs = new Set(dependencies.map(({ ref }) => ref));
  for (const { dependsOn } of dependencies) for (const ref of dependsOn) assert.ok(refs.has(ref), ref);
  const pg = dependencies.find(({ ref }) => ref.startsWith('pkg:npm/pg@'));
  assert.ok(pg?.dependsOn.some((ref) => ref.startsWith('pkg:npm/pg-protocol@')));
});

test('the same sources give the same bill of materials', () => {
  const again = renderSbom(root, packages, built);
  assert.equal(JSON.parse(again), sbom);
  assert.match(
    sbom.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.not.match(again, 'timestamp');
  assert.not.match(again, root, 'nor does it say where it was built');
});

test('docs/dependencies.md is what "npm run generate" would write', () => {
  assert.is(read('docs/dependencies.md'), renderDependencyDocs(root, packages));
});

test.run();
