/** Runs schemathesis over a server's own OpenAPI document. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root } from '../../sandbox.ts';

const program = join(root, '.tools/schemathesis/bin/schemathesis');
const config = join(import.meta.dirname, 'schemathesis.toml');

export interface Fuzzing {
  token?: string;
  /** Examples of each kind for each route. */
  examples: number;
  /** Only this route, or all but these, by their names in `src/wire/routes.ts`. */
  only?: string;
  without?: readonly string[];
}

export interface Fuzzed {
  code: number;
  output: string;
  /** Routes, and requests sent to them. */
  operations: number;
  requests: number;
}

/** The same requests every time, each of which must get a documented answer that is no error of the server. */
export async function fuzz(
  url: string,
  { token, examples, only, without = [] }: Fuzzing,
  cwd: string,
): Promise<Fuzzed> {
  // One worker: with two, one of them sets Python's recursion limit while the other parses, which Python 3.11 takes for a fault
  // of its parser and ends the run with a SystemError.
  const args = [
    ['--config-file', config, 'run', `${url}/openapi.json`],
    ['--checks', 'not_a_server_error,status_code_conformance,content_type_conformance'],
    ['--checks', 'response_schema_conformance,allow_header_conformance,unsupported_method,ignored_auth'],
    ['--phases', 'coverage,fuzzing', '--max-examples', String(examples), '--seed', '1', '--workers', '1'],
    ['--generation-database', 'none', '--suppress-health-check', 'all', '--continue-on-failure'],
    ['--request-timeout', '60', '--warnings', 'off', '--no-color', '--no-shrink'],
    token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`],
    only === undefined ? [] : ['--include-operation-id', only],
    ...without.map((route) => ['--exclude-operation-id', route]),
  ].flat();
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const output = out + errors;
  return {
    code,
    output,
    operations: Number(/^ {2}Tested: (\d+)$/m.exec(output)?.[1] ?? 0),
    requests: Number(/^ {2}(\d+) generated/m.exec(output)?.[1] ?? 0),
  };
}
