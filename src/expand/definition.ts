/**
 * A definition file of the original's generator (`rkc-backup.yaml`), rendered for one operation: to Kubernetes objects, or to a
 * script for a machine without Kubernetes. Both come from the plan that the function makes of the ScheduledBackup which says
 * the same, so that a value means here what it means there. Pure: files are read and written elsewhere.
 */
import type { RequestedBackupAction, ScheduledBackup } from '../../gen/types.ts';
import { type Kind, type Kinds, readKind } from '../api/kinds.ts';
import { hasError, type Problem } from '../api/problem.ts';
import { isObject, parseVars } from '../api/vars.ts';
import { emitYaml } from '../krm/emit.ts';
import { Item } from '../krm/item.ts';
import { asJson, type JsonObject, type JsonValue } from '../krm/json.ts';
import { parseKubernetesYaml, YamlError } from '../krm/yaml.ts';
import { expandAction } from './action.ts';
import { findBuiltIn } from './built-in.ts';
import { Catalog } from './catalog.ts';
import { type Equivalent, equivalentOf } from './definition-equivalent.ts';
import { translateProblem } from './definition-problems.ts';
import { type RenderedScript, renderDefinitionScript } from './definition-script.ts';
import type { Definition, DefinitionTarget } from './definition-target.ts';
import { KEY_ENTRY } from './definition-values.ts';
import { metadataOf, NO_SUBSTITUTION } from './metadata.ts';
import { readTemplate } from './own-template.ts';
import type { Plan } from './plan.ts';
import { planBackup } from './planner.ts';
import { expandScheduledBackup } from './scheduled-backup.ts';

export type Rendered =
  | { form: 'kubernetes'; manifests: string; holdsSecrets: boolean }
  | ({ form: 'script' } & RenderedScript);

/** Reads the text of a definition file. What is wrong inside the three maps is found when it is rendered. */
export function readDefinition(text: string): { definition?: Definition; problems: Problem[] } {
  let value: JsonValue;
  try {
    value = parseKubernetesYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    // The parser's message may quote the text, and the text may hold a password.
    return { problems: [{ code: 'syntax', message: `line ${error.line} is not valid YAML` }] };
  }
  if (value === null || !isObject(value)) {
    const message = `is ${value === null ? 'empty' : 'no map'}: it must have Params, Repository and, if need be, HelmValues`;
    return { problems: [{ code: 'wrong-type', message }] };
  }
  const { vars, problems, readable } = parseVars(value);
  if (readable) return { definition: vars, problems: [] };
  return {
    problems: problems.map((problem) => ({
      ...problem,
      path: (problem.path ?? '').replace(/^spec\.vars\.?/, ''),
    })),
  };
}

/** Renders a definition. Nothing is rendered if one of the problems is an error. */
export function renderDefinition(
  definition: Definition,
  target: DefinitionTarget,
): { rendered?: Rendered; problems: Problem[] } {
  const equivalent = equivalentOf(definition, target);
  const problems = [...equivalent.problems];
  const translate = (found: readonly Problem[]) =>
    problems.push(...found.flatMap((problem) => translateProblem(problem, target, equivalent) ?? []));
  const finish = (rendered?: Rendered) => {
    const all = unique(problems);
    return hasError(all) || !rendered ? { problems: all } : { rendered, problems: all };
  };
  if (hasError(problems)) return finish();

  const backup = read('ScheduledBackup', equivalent.backup, translate) as ScheduledBackup | undefined;
  const action =
    equivalent.action &&
    (read('RequestedBackupAction', equivalent.action, translate) as RequestedBackupAction | undefined);
  if (equivalent.template) translate(readTemplate(Item.fromValue(equivalent.template, -1)).problems);
  if (!backup || hasError(problems)) return finish();

  const sources = [...equivalent.provided, ...(equivalent.template ? [equivalent.template] : [])];
  const catalog = new Catalog(sources.map((object, index) => Item.fromValue(object, index)));
  const config = {};
  const { plan, problems: planned } = planBackup(backup, catalog, config);
  translate(planned);
  if (!plan) return finish();
  if (target.form === 'script') {
    translate(plan.operations[target.operation].missing);
    const { procedure } = target.template.own ? {} : findBuiltIn(target.template.name);
    const script = renderDefinitionScript(plan, target, equivalent, procedure);
    problems.push(...script.problems);
    return finish({ form: 'script', ...script });
  }
  const expanded = expandScheduledBackup(plan, catalog, config);
  translate(expanded.problems);
  const objects = expanded.objects
    .filter(({ metadata }) => metadata?.labels?.['app.kubernetes.io/component'] === target.operation)
    .map(asJson);
  if (action) {
    const acted = expandAction(action, plan, config);
    translate(acted.problems);
    objects.push(...acted.objects.map(asJson));
  }
  return finish(manifestsOf([...keyObject(plan, target, equivalent), ...objects]));
}

function read<K extends Kind>(
  kind: K,
  value: JsonObject,
  translate: (problems: readonly Problem[]) => void,
): Kinds[K] | undefined {
  const { object, problems } = readKind(kind, Item.fromValue(value, -1));
  translate(problems);
  return object;
}

/** The object that brings the key into the cluster; the function leaves that to the user, the original's generator did it. */
function keyObject(
  plan: Plan,
  { key, operation }: DefinitionTarget,
  { keySecret }: Equivalent,
): JsonObject[] {
  if (key === 'none') return [];
  if ('sealed' in key) return [key.sealed];
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(plan, keySecret, operation, NO_SUBSTITUTION),
    type: 'Opaque',
    data: { [KEY_ENTRY]: Buffer.from(key.bytes).toString('base64') },
  };
  return [asJson(secret)];
}

function manifestsOf(objects: readonly JsonObject[]): Rendered {
  return {
    form: 'kubernetes',
    manifests: objects.map((object) => `---\n${emitYaml(object, 0)}`).join(''),
    holdsSecrets: objects.some(({ kind }) => kind === 'Secret'),
  };
}

function unique(problems: readonly Problem[]): Problem[] {
  const said = new Map(
    problems.map((problem) => [`${problem.code}\n${problem.path}\n${problem.message}`, problem]),
  );
  return [...said.values()];
}
