/** Plans one operation of a ClusterBackupProcedureTemplate: the user's own image and script. */
import type { ClusterBackupProcedureTemplate } from '../../gen/types.ts';
import { looksLikeCredential } from '../api/credentials.ts';
import { readKind } from '../api/kinds.ts';
import { nearest } from '../api/nearest.ts';
import { hasError, type Problem } from '../api/problem.ts';
import { OPERATIONS, type Operation } from '../api/procedure.ts';
import type { Item } from '../krm/item.ts';
import { findBuiltIn } from './built-in.ts';
import { Environment } from './environment.ts';
import { CLIENT_FOLDER, SCRIPT_FOLDER } from './paths.ts';
import { parsePlaceholders } from './placeholders.ts';
import { DEFAULT_CLIENT_IMAGE, type PlannedProcedure, type ProcedureContext } from './procedure.ts';
import { renderScript } from './script.ts';

/** The user of the original's image, which users' own procedures were written for. */
const OWN_USER = 1001;

/** Plans one operation; without a plan if the template is not there or not usable. */
export function planOwn(operation: Operation, context: ProcedureContext): PlannedProcedure {
  const problems: Problem[] = [];
  const template = findTemplate(context, problems);
  if (!template) return { problems };
  const environment = new Environment();
  const literals = new Map<string, string>();
  const rendered = renderScript(template.spec[operation], {
    values: context.values,
    repository: context.repository,
    environment,
    literals,
    bound: new Map(),
  });
  for (const problem of rendered.problems) {
    problems.push({
      ...problem,
      path: 'spec.templateRef',
      message: `${template.metadata.name}, ${operation} script, ${problem.message}`,
    });
  }
  if ([...literals.keys()].some((name) => name.startsWith('BM_PARAMS_'))) {
    problems.push({
      code: 'plaintext-secret',
      path: 'spec.vars.Params',
      message:
        'a credential in clear text, kept in a generated Secret that anybody with the rendered files can read: use a Secret ' +
        'with the entry Params.NAME, named in spec.varsSecretRef',
    });
  }
  const all = new Environment();
  all.addAll(context.environment);
  all.addAll(withoutOverridden(context.client, template.spec[operation], rendered.text));
  all.addAll(environment);
  const file = `${operation}.sh`;
  return {
    plan: {
      files: { [file]: rendered.text },
      image: context.backup.spec.templateRef.image ?? template.spec.image,
      clientImage: context.config.clientImage ?? DEFAULT_CLIENT_IMAGE,
      // The client that we bring goes before one that the image may hold.
      command: ['/bin/sh', '-c', `PATH="${CLIENT_FOLDER}/bin:$PATH"; export PATH; exec "$@"`, operation],
      args: [...interpreter(rendered.text), `${SCRIPT_FOLDER}/${file}`],
      environment: all,
      literals,
      volumes: [],
      volumeMounts: [],
      user: OWN_USER,
      readOnlyRoot: false,
      scratch: true,
    },
    endpoint: 'unknown',
    problems,
  };
}

function findTemplate(
  context: ProcedureContext,
  problems: Problem[],
): ClusterBackupProcedureTemplate | undefined {
  const { kind, name, version } = context.backup.spec.templateRef;
  const item = context.catalog.find('ClusterBackupProcedureTemplate', '', name);
  if (version !== undefined) {
    problems.push({
      code: 'ignored-field',
      path: 'spec.templateRef.version',
      message: 'only built-in procedures have versions',
    });
  }
  if (kind !== 'ClusterBackupProcedureTemplate') {
    problems.push({
      code: 'suspicious',
      path: 'spec.templateRef.kind',
      message: `${JSON.stringify(kind)} is read as ClusterBackupProcedureTemplate: write that, or internal for a built-in procedure`,
      value: kind,
      proposal:
        nearest(kind, ['internal', 'ClusterBackupProcedureTemplate']) ?? 'ClusterBackupProcedureTemplate',
    });
  }
  if (!item) {
    const near = nearest(name, context.catalog.names('ClusterBackupProcedureTemplate'));
    const builtIn = findBuiltIn(name).procedure
      ? '; for the built-in procedure of that name write kind: internal'
      : '';
    problems.push({
      code: 'not-found',
      path: 'spec.templateRef.name',
      message: `there is no ClusterBackupProcedureTemplate ${JSON.stringify(name)} among the resources${near ? `; did you mean ${near}?` : builtIn}`,
      value: name,
      ...(near && { proposal: near }),
    });
    return undefined;
  }
  // Its own problems are reported where it stands; here it is enough that it cannot be used.
  return readTemplate(item).template;
}

/** The template with everything that is wrong with it, its scripts included; without a template if it is unusable. */
export function readTemplate(item: Item): { template?: ClusterBackupProcedureTemplate; problems: Problem[] } {
  const { object, problems } = readKind('ClusterBackupProcedureTemplate', item);
  if (!object) return { problems };
  for (const operation of OPERATIONS) {
    problems.push(...checkCredentials(object.spec[operation], `spec.${operation}`));
    const { errors } = parsePlaceholders(object.spec[operation]);
    problems.push(
      ...errors.map(({ line, message, code }) => ({
        code,
        path: `spec.${operation}`,
        message: `line ${line}: ${message}`,
      })),
    );
  }
  return hasError(problems) ? { problems } : { template: object, problems };
}

/** A script becomes a ConfigMap as it is. Shell variables are how a credential should get into it. */
function checkCredentials(script: string, path: string): Problem[] {
  if (!looksLikeCredential(script.replace(/\$(\{[^}]*\}|\w+)/g, ''))) return [];
  const message =
    'holds what looks like a credential in clear text, and goes into a ConfigMap that anybody with access to the namespace ' +
    'can read: put it into a Secret under an entry Params.NAME, and write {{ .Params.NAME }}';
  return [{ code: 'plaintext-secret', path, message }];
}

/** The command of a `#!` line, else bash, which ran all scripts in the original. */
function interpreter(script: string): string[] {
  const line = script.match(/^#![ \t]*(\/\S+)[ \t]*([^\n\r]*)/);
  if (!line?.[1]) return ['/bin/bash'];
  const argument = line[2]?.trim();
  return argument ? [line[1], argument] : [line[1]];
}

const OVERRIDES: readonly [variable: string, inScript: RegExp][] = [
  ['BM_URL', /--url\b|\bBM_URL=/],
  ['BM_COLLECTION_ID', /--collection-id\b|\bBM_COLLECTION_ID=|\bbackup-maker\b[^\n|;&]*\s-i[\s=]/],
  ['BM_AUTH_TOKEN', /--auth-token\b|\bBM_AUTH_TOKEN=/],
  ['BM_PUBLIC_KEY_PATH', /--key\b|\bBM_PUBLIC_KEY_PATH=/],
  ['BM_PRIVATE_KEY_PATH', /--private-key\b|\bBM_PRIVATE_KEY_PATH=/],
  ['BM_RECIPIENT', /--recipient\b|\bBM_RECIPIENT=/],
];

/**
 * The client lets its variables win over its flags, as the original did. Where a script sets something itself, the
 * variable must therefore be left out, or one script with two collections would fill one of them twice. A variable
 * that a placeholder became is needed all the same.
 */
function withoutOverridden(client: Environment, script: string, rendered: string): Environment {
  const joined = script.replaceAll('\\\n', ' ');
  const overridden = OVERRIDES.filter(([, pattern]) => pattern.test(joined)).map(([variable]) => variable);
  const skip = new Set(overridden.filter((variable) => !rendered.includes(`\${${variable}}`)));
  return client.filter((name) => !skip.has(name));
}
