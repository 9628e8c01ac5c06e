/** Finds the procedure that a name means: a template file of the user's, in the original's order, or a built-in procedure. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../api/nearest.ts';
import { type Problem, UserError } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import { findBuiltIn } from '../expand/built-in.ts';
import type { DefinitionTemplate } from '../expand/definition-target.ts';

/** Folders with templates: those before the built-in procedures, and those after them. */
interface Folders {
  user: string;
  base: string;
  local: readonly string[];
}

/**
 * `~/.bm/templates/user` goes first, then the built-in procedures, `~/.bm/templates/.base`, `generate/templates` and `templates`
 * below `cwd`. The original filled `user` with copies of what it kept in `.base`: a copy that nobody has changed is no template
 * of the user's, and does not go before the built-in procedure.
 *
 * @throws {UserError} `usage`, or `not-found`.
 */
export async function findTemplate(
  name: string,
  operation: Operation,
  { home, cwd }: { home: string; cwd: string },
): Promise<{ template: DefinitionTemplate; problems: Problem[] }> {
  if (!/^[\w.-]+$/.test(name) || /^\.+$/.test(name))
    throw new UserError({
      code: 'usage',
      message: '--template must be a name of letters, digits, "-", "_" and ".", not a path',
    });
  const folders: Folders = {
    user: join(home, '.bm/templates/user', operation),
    base: join(home, '.bm/templates/.base', operation),
    local: ['generate/templates', 'templates'].map((folder) => join(cwd, folder, operation)),
  };
  const builtIn = findBuiltIn(name).procedure !== undefined;
  const [user, base] = await Promise.all(
    [folders.user, folders.base].map((folder) => readTemplateFile(folder, name)),
  );
  if (user && !(builtIn && user.script === base?.script))
    return { template: { name, own: user }, problems: [] };
  const later = [base, ...(await Promise.all(folders.local.map((folder) => readTemplateFile(folder, name))))];
  if (builtIn) {
    // A copy of the original's own template is not worth a word.
    const hidden = later.slice(1).find((found) => found !== undefined);
    return { template: { name }, problems: hidden ? [hiddenBy(hidden.file, name)] : [] };
  }
  const own = later.find((found) => found !== undefined);
  if (own) return { template: { name, own }, problems: [] };
  throw new UserError(await missing(name, operation, folders));
}

async function readTemplateFile(
  folder: string,
  name: string,
): Promise<{ script: string; file: string } | undefined> {
  const file = join(folder, `${name}.tmpl`);
  try {
    return { script: await readFile(file, 'utf8'), file };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError(
      { code: 'not-found', message: `cannot read the template ${file}: ${code}` },
      { cause: error },
    );
  }
}

function hiddenBy(file: string, name: string): Problem {
  return {
    code: 'suspicious',
    path: '--template',
    message: `${file} is not used, because the built-in procedure ${name} goes before it: give the file another name, or move it to ~/.bm/templates/user`,
  };
}

async function missing(name: string, operation: Operation, { user, base, local }: Folders): Promise<Problem> {
  const files = await Promise.all([user, base, ...local].map((folder) => readdir(folder).catch(() => [])));
  const own = files
    .flat()
    .flatMap((file) => (file.endsWith('.tmpl') ? [file.slice(0, -'.tmpl'.length)] : []));
  const [problem] = findBuiltIn(name).problems;
  const near = nearest(name, own) ?? problem?.proposal;
  const known = problem?.message.match(/known: .*$/)?.[0];
  const hint = near
    ? `did you mean ${near}?`
    : `${known ?? ''}; your own would be templates/${operation}/${name}.tmpl`;
  return {
    code: 'not-found',
    message: `--template: there is no procedure and no template ${JSON.stringify(name)}; ${hint}`,
  };
}
