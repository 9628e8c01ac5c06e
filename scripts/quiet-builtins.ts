/**
 * A plugin of esbuild: modules of Node.js itself are asked for with `process.getBuiltinModule`, not imported. An `import` of one reads
 * every property it exports, and some of them load whole parts of Node.js that nobody here uses: `node:http` has undici behind
 * `WebSocket`, for instance. That was a third of the time in which the client starts.
 */
import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

export const quietBuiltins: Plugin = {
  name: 'quiet-builtins',
  setup(build) {
    // A dynamic import stays what it is: a module of its own would have but a default export.
    build.onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) =>
      isBuiltin(path) && kind !== 'dynamic-import' ? { path, namespace: 'builtin' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};
