/** Plans one operation of a built-in procedure: a constant script in the stock image of the data's own tool. */
import { procedures } from '../../gen/procedures.ts';
import { nearest } from '../api/nearest.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation, Procedure } from '../api/procedure.ts';
import { Environment } from './environment.ts';
import { planParameters } from './parameters.ts';
import { CLIENT, SCRIPT_FOLDER } from './paths.ts';
import type { Endpoint } from './plan.ts';
import { DEFAULT_CLIENT_IMAGE, type PlannedProcedure, type ProcedureContext } from './procedure.ts';
import { planVolumes, unknownVolumes } from './volumes.ts';

/** An arbitrary user id above those that hosts hand out; the stock images do not mind which it is. */
const STOCK_USER = 65532;

const CLIENT_COMMAND: Record<Operation, string> = { backup: 'make', restore: 'restore' };

/** Plans one operation; without a plan if there is no such procedure. */
export function planBuiltIn(operation: Operation, context: ProcedureContext): PlannedProcedure {
  const { templateRef } = context.backup.spec;
  const found = findBuiltIn(templateRef.name);
  const { procedure } = found;
  if (!procedure) return { problems: found.problems.map((problem) => withKindHint(problem, context)) };
  const problems = [...found.problems];
  const { clientImage, image } = chooseImage(procedure, found.version, context, problems);
  const available = new Environment();
  available.addAll(context.environment);
  for (const name of context.literals.keys()) available.set(name, '');
  const parameters = planParameters(procedure, context.values, available);
  problems.push(
    ...parameters.problems,
    ...unknownVolumes(procedure, operation, context.values, parameters.texts),
  );
  const environment = new Environment();
  environment.addAll(context.environment);
  environment.addAll(context.client);
  environment.addAll(parameters.environment);
  const file = `${operation}.sh`;
  const mounted = planVolumes(procedure, operation, parameters.texts);
  return {
    plan: {
      files: { [file]: procedure.scripts[operation] },
      image,
      clientImage,
      command: [CLIENT],
      args: [CLIENT_COMMAND[operation], '--cmd', `${procedure.shell ?? '/bin/sh'} ${SCRIPT_FOLDER}/${file}`],
      environment,
      literals: parameters.literals,
      ...mounted,
      user: STOCK_USER,
      readOnlyRoot: true,
      scratch: procedure.scratch[operation],
    },
    endpoint: endpointOf(procedure, parameters.texts),
    problems,
  };
}

function withKindHint(problem: Problem, { backup, catalog }: ProcedureContext): Problem {
  const { name } = backup.spec.templateRef;
  if (!catalog.find('ClusterBackupProcedureTemplate', '', name)) return problem;
  const { code, path, value } = problem;
  const message = `there is no built-in procedure ${JSON.stringify(name)}; for your own of that name write kind: ClusterBackupProcedureTemplate`;
  return { code, message, ...(path && { path }), ...(value && { value }) };
}

/** The procedure of that name or alias, with the version that the alias means. */
export function findBuiltIn(name: string): {
  procedure?: Procedure;
  version?: string | undefined;
  problems: Problem[];
} {
  for (const procedure of procedures) {
    if (procedure.name === name) return { procedure, problems: [] };
    const alias =
      procedure.aliases && Object.hasOwn(procedure.aliases, name) ? procedure.aliases[name] : undefined;
    if (alias) return { procedure, version: alias.version, problems: [] };
  }
  const names = procedures.flatMap((procedure) => [procedure.name, ...Object.keys(procedure.aliases ?? {})]);
  const near = nearest(name, names);
  const known = procedures.map((procedure) => procedure.name).join(', ');
  return {
    problems: [
      {
        code: 'not-found',
        path: 'spec.templateRef.name',
        message: `there is no built-in procedure ${JSON.stringify(name)}; ${near ? `did you mean ${near}?` : `known: ${known}`}`,
        value: name,
        ...(near && { proposal: near }),
      },
    ],
  };
}

function chooseImage(
  procedure: Procedure,
  aliasVersion: string | undefined,
  context: ProcedureContext,
  problems: Problem[],
): { image: string; clientImage: string | undefined } {
  const { templateRef, vars: _ } = context.backup.spec;
  const client = context.config.clientImage ?? DEFAULT_CLIENT_IMAGE;
  const fromVars = context.values.find(['HelmValues', 'image']);
  const given = templateRef.image ?? (fromVars && 'text' in fromVars ? fromVars.text : undefined);
  if (given !== undefined) return { image: given, clientImage: client };
  if (procedure.image === undefined) {
    if (templateRef.version !== undefined) {
      problems.push({
        code: 'ignored-field',
        path: 'spec.templateRef.version',
        message: `the procedure ${procedure.name} runs in the client's own image, which has no versions to choose`,
      });
    }
    return { image: client, clientImage: undefined };
  }
  const version = templateRef.version ?? aliasVersion ?? procedure.defaultVersion ?? 'latest';
  if (templateRef.version === undefined && aliasVersion === undefined) {
    problems.push({
      code: 'unpinned-version',
      path: 'spec.templateRef.version',
      message: `is not set, so ${procedure.image}:${version} is used: write the version of your server, as dumps of a newer tool may not load into it`,
      proposal: version,
    });
  }
  return { image: `${procedure.image}:${version}`, clientImage: client };
}

function endpointOf(procedure: Procedure, texts: ReadonlyMap<string, string>): Endpoint {
  if (!procedure.endpoint) return undefined;
  const host = texts.get(procedure.endpoint.host);
  const port = texts.get(procedure.endpoint.port);
  return host && port ? { host, port } : 'unknown';
}
