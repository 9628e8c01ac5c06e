/** Renders a definition file and writes what comes out of it. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Problem, UserError } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import { scalarText } from '../api/vars.ts';
import { type Rendered, readDefinition, renderDefinition } from '../expand/definition.ts';
import { environmentFile } from '../expand/definition-shell.ts';
import type { Definition, DefinitionKey } from '../expand/definition-target.ts';
import { type GeneratedFile, readBefore, writeFiles } from './maker-generate-files.ts';
import { kindOfKey, readKeyFile } from './maker-generate-key.ts';
import { DEFAULTS, type GenerateOptions } from './maker-generate-options.ts';
import { findTemplate } from './maker-generate-template.ts';

/** Flags that only say something about manifests. */
const KUBERNETES_ONLY = ['k8sJobSchedule', 'k8sName', 'k8sImage', 'k8sNamespace', 'runId'] as const;

/**
 * Writes the files of one operation and returns their paths, the script or manifest last, with everything that is worth saying.
 * If a problem is an error, no file is written.
 *
 * @throws {UserError} for what is not about the definition's content: files that cannot be read or written, the key, the template.
 */
export async function generate(options: GenerateOptions): Promise<{ files: string[]; problems: Problem[] }> {
  const { operation, kubernetes = false, cwd = process.cwd(), home = homedir() } = options;
  const {
    definition: shownDefinition,
    gpgKeyPath,
    outputDir,
    k8sJobSchedule,
    k8sName,
  } = { ...DEFAULTS, ...defined(options) };
  const folder = resolve(cwd, outputDir);
  const read = await readDefinitionFile(resolve(cwd, shownDefinition), shownDefinition);
  if (!read.definition) return { files: [], problems: read.problems };

  const found = await findTemplate(options.template, operation, { home, cwd });
  const name = scalarText(read.definition.HelmValues.name) || k8sName;
  const namespace = options.k8sNamespace ?? '';
  const key = await readKeyFile(resolve(cwd, gpgKeyPath), gpgKeyPath, {
    operation,
    kubernetes,
    name,
    namespace,
  });
  const { rendered, problems } = renderDefinition(read.definition, {
    operation,
    form: kubernetes ? 'kubernetes' : 'script',
    template: found.template,
    key,
    name: k8sName,
    schedule: k8sJobSchedule,
    ...(namespace !== '' && { namespace }),
    ...(options.k8sImage !== undefined && { image: options.k8sImage }),
    ...(options.targetVersion !== undefined && { targetVersion: options.targetVersion }),
    ...(options.runId !== undefined && { runId: options.runId }),
  });
  problems.unshift(...ignoredFlags(options), ...found.problems);
  if (name !== k8sName)
    for (const problem of problems) if (problem.path === '--k8s-name') problem.path = 'HelmValues.name';
  if (!rendered) return { files: [], problems };
  if (kubernetes && operation === 'restore' && key !== 'none' && 'bytes' in key) problems.push(clearKey());
  return { files: await writeFiles(folder, await filesOf(rendered, operation, key, folder)), problems };
}

async function readDefinitionFile(
  path: string,
  shown: string,
): Promise<{ definition?: Definition; problems: Problem[] }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code;
    const message = `cannot read the definition ${shown}: ${reason}; name it with --definition`;
    throw new UserError({ code: 'not-found', message }, { cause: error });
  }
  const { definition, problems } = readDefinition(text);
  const located = problems.map(({ path: field, ...problem }) => ({
    ...problem,
    path: field ? `${shown}: ${field}` : shown,
  }));
  return { ...(definition && { definition }), problems: located };
}

/** The key goes beside a script, as the original put it; on Kubernetes it is among the manifests. */
async function filesOf(
  rendered: Rendered,
  operation: Operation,
  key: DefinitionKey,
  folder: string,
): Promise<GeneratedFile[]> {
  if (rendered.form === 'kubernetes') {
    const mode = rendered.holdsSecrets ? 0o600 : 0o644;
    return [{ name: `${operation}.yaml`, content: rendered.manifests, mode }];
  }
  const files: GeneratedFile[] = [];
  if (key !== 'none' && 'bytes' in key) {
    checkKeyBefore(await readBefore(folder, 'gpg-key'), key.bytes, folder);
    files.push({ name: 'gpg-key', content: key.bytes, mode: 0o600 });
  }
  if (rendered.secrets.size > 0) {
    const name = `${operation}.env`;
    const heading = `Variables of ${operation}.sh: for its owner's eyes only. Made by "backup-maker generate ${operation}".`;
    const content = environmentFile(
      heading,
      rendered.secrets,
      ((await readBefore(folder, name)) ?? '').toString(),
    );
    files.push({ name, content, mode: 0o600 });
  }
  return [...files, { name: `${operation}.sh`, content: rendered.script, mode: 0o755 }];
}

/** Both operations expect their key under one name. Whoever loses the only private key that way loses all backups. */
function checkKeyBefore(before: Buffer | undefined, bytes: Uint8Array, folder: string): void {
  if (before === undefined || before.equals(bytes)) return;
  const kinds = [before, Buffer.from(bytes)].map(kindOfKey);
  if (kinds.every((kind) => kind === 'public')) return;
  const what = kinds[0] === undefined ? 'something that is no key' : `a ${kinds[0]} key that is not the same`;
  throw new UserError({
    code: 'conflict',
    message: `${join(folder, 'gpg-key')} holds ${what}, which would be replaced: choose another --output-dir, or move that file away`,
  });
}

function ignoredFlags(options: GenerateOptions): Problem[] {
  const flags: string[] = options.kubernetes
    ? []
    : KUBERNETES_ONLY.filter((flag) => options[flag] !== undefined);
  if (options.operation === 'restore' && options.k8sJobSchedule !== undefined) flags.push('k8sJobSchedule');
  if (options.operation === 'backup')
    flags.push(...(['targetVersion', 'runId'] as const).filter((flag) => options[flag] !== undefined));
  return [...new Set(flags)].map((flag) => ({
    code: 'ignored-field',
    path: `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    message: `has no effect on a ${options.operation}${options.kubernetes ? '' : ' without --kubernetes'}`,
  }));
}

function clearKey(): Problem {
  return {
    code: 'plaintext-secret',
    path: '--gpg-key-path',
    message:
      'the private key stands in restore.yaml in clear text: do not keep that file, or give a SealedSecret with the entry gpg-key instead',
  };
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
