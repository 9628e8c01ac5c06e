/**
 * The bill of materials of a build, as CycloneDX 1.6: each program with its files and their SHA-256, the packages of
 * which code is in it, and the Node.js that the image runs it on. The same sources give the same bytes: there is no
 * time and no random number in it.
 */
import { createHash } from 'node:crypto';
import type { Built } from './bundles.ts';
import { type BundledPackage, keyOf, manifestOf } from './packages.ts';

/** The document as text. */
export function renderSbom(
  root: string,
  packages: readonly BundledPackage[],
  built: readonly Built[],
): string {
  const { name, version, description, license, devDependencies } = manifestOf(root);
  const node = nodeOf(devDependencies.node ?? '');
  const product = {
    type: 'application',
    'bom-ref': `${name}@${version}`,
    name,
    version,
    description,
    licenses: [licenceChoice(license)],
  };
  const programs = built.map(({ bundle, files }) => ({
    type: bundle.kind === 'program' ? 'application' : 'library',
    'bom-ref': `program:${bundle.name}`,
    name: bundle.name,
    version,
    licenses: [licenceChoice(license)],
    components: [...files].map(([path, content]) => ({
      type: 'file',
      'bom-ref': `file:dist/${path}`,
      name: `dist/${path}`,
      hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(content).digest('hex') }],
    })),
  }));
  const dependencies = [
    { ref: product['bom-ref'], dependsOn: programs.map((program) => program['bom-ref']) },
    ...programs.map((program) => ({
      ref: program['bom-ref'],
      dependsOn: [
        ...packages.filter(({ bundles }) => bundles.includes(program.name)).map(purlOf),
        // The module runs in somebody else's process.
        ...(program.type === 'application' ? [node['bom-ref']] : []),
      ],
    })),
    ...packages.map((each) => ({
      ref: purlOf(each),
      dependsOn: packages.filter((other) => each.imports.includes(keyOf(other))).map(purlOf),
    })),
    { ref: node['bom-ref'], dependsOn: [] },
  ];
  const content = {
    version: 1,
    metadata: { component: product },
    components: [...programs, ...packages.map(component), node],
    dependencies,
  };
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    ...content,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function component(each: BundledPackage) {
  const [algorithm = '', base64 = ''] = each.integrity.split('-');
  return {
    type: 'library',
    'bom-ref': purlOf(each),
    ...namesOf(each.name),
    version: each.version,
    scope: 'required',
    // Of the archive in the registry, which is what the lock file holds npm to.
    hashes: [
      { alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(base64, 'base64').toString('hex') },
    ],
    licenses: [licenceChoice(each.licence)],
    purl: purlOf(each),
    properties: each.files.map((file) => ({ name: 'backup-maker:file', value: `dist/${file}` })),
  };
}

function nodeOf(version: string) {
  return {
    type: 'platform',
    'bom-ref': `pkg:generic/node@${version}`,
    name: 'node',
    version,
    description: 'The Node.js in the image. Elsewhere the programs run on the one that is installed.',
    licenses: [licenceChoice('MIT')],
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/node@${version}`,
  };
}

function purlOf({ name, version }: BundledPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function namesOf(name: string): { group?: string; name: string } {
  const [group, inGroup] = name.split('/');
  return inGroup === undefined ? { name } : { group: group as string, name: inGroup };
}

function licenceChoice(expression: string) {
  return expression.includes(' ') ? { expression } : { license: { id: expression } };
}

/** An identifier of the content, in the form of a random one (RFC 9562, version 8). */
function uuidOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
