/**
 * Puts the `yaml` package into a bundle as text, which is compiled when one of its exports is first used.
 *
 * Nearly all input is read without it (src/krm/read-plain.ts), but V8 has to read all code of a bundle at every
 * start, which for this package takes 3 ms, a sixth of what starting Node.js takes. A text it only skips. No matter
 * what the input is, what is compiled is this constant and nothing else.
 */
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** Every export that src/ imports; esbuild reports one that is missing here. */
const EXPORTS = ['CST', 'Composer', 'Parser', 'isAlias', 'isMap', 'isScalar', 'isSeq', 'parseDocument'];

/** The package's ES modules, of which only what is needed gets in. They use nothing that only browsers have. */
const MODULES = 'node_modules/yaml/browser/dist/index.js';

export function lazyYaml(root: string): Plugin {
  return {
    name: 'lazy-yaml',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^yaml$/ }, () => ({ path: 'yaml', namespace: 'lazy-yaml' }));
      onLoad({ filter: /.*/, namespace: 'lazy-yaml' }, async () => ({
        contents: lazily(await bundled(root)),
      }));
    },
  };
}

async function bundled(root: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${EXPORTS} } from './${MODULES}';`, resolveDir: join(root) },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    legalComments: 'none',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

function lazily(source: string): string {
  return `
    const source = ${JSON.stringify(source)};
    let yaml;
    function load() {
      if (yaml) return yaml;
      const module = { exports: {} };
      require('node:vm').compileFunction(source, ['module'], { filename: 'yaml.js' })(module);
      yaml = module.exports;
      return yaml;
    }
    ${EXPORTS.map((name) => `Object.defineProperty(exports, '${name}', { enumerable: true, get: () => load().${name} });`).join('\n')}
  `;
}
