/** The function itself: a ResourceList in, the same with our kinds expanded out. Pure. */

import type { RequestedBackupAction } from '../../gen/types.ts';
import { configPath, type FunctionConfig, readFunctionConfig } from '../api/function-config.ts';
import {
  GROUP,
  isOfServer,
  isServerKind,
  type Kind,
  type Kinds,
  kindOf,
  readKind,
  syntaxProblem,
} from '../api/kinds.ts';
import { nearest } from '../api/nearest.ts';
import { hasError, type Problem, toResult } from '../api/problem.ts';
import type { Generated } from '../krm/generated.ts';
import { expandInPlace, findSelectorUse } from '../krm/in-place.ts';
import { Item, ItemSyntaxError } from '../krm/item.ts';
import { asJson, type JsonObject } from '../krm/json.ts';
import type { Result } from '../krm/result.ts';
import { expandAction } from './action.ts';
import { Catalog, namesOf, namespacesOf } from './catalog.ts';
import { OWNER_ANNOTATION, ownerOf } from './metadata.ts';
import type { KubernetesObject } from './objects.ts';
import { readTemplate } from './own-template.ts';
import type { Plan } from './plan.ts';
import { planBackup } from './planner.ts';
import { expandScheduledBackup } from './scheduled-backup.ts';
import { checkAccessKeys, checkServerAccess, type ServerObjects } from './server-access.ts';
import { checkPasswords, foldServerConfiguration, SERVER_OWNER } from './server-configuration.ts';

/** What is read of a ResourceList. */
export interface Input {
  readonly items: readonly Item[];
  readonly functionConfig: JsonObject | undefined;
  /** Whether the text occurs anywhere in the list. */
  mentions(text: string): boolean;
}

export interface Output {
  outputs: (Item | JsonObject)[];
  results: Result[];
}

const DEFAULT_FOLDER = 'generated';

/** Expands all sources. If a result is an error, the outputs must not be used. */
export function expandBackups(input: Input): Output {
  const expansion = new Expansion(input);
  return expansion.run();
}

class Expansion {
  readonly #input: Input;
  readonly #results: Result[] = [];
  readonly #sources = new Map<Kind, Item[]>();
  readonly #plans = new Map<Item, Plan>();
  #catalog = new Catalog([]);
  #config: FunctionConfig = {};
  #configBroken = false;
  readonly #saidOfConfig = new Set<string>();
  #server: ServerObjects = { users: [], collections: [] };

  constructor(input: Input) {
    this.#input = input;
  }

  run(): Output {
    const { items } = this.#input;
    const source = this.#readConfig();
    const selected = findSelectorUse(items);
    if (selected) {
      this.#report(selected, {
        code: 'unsupported',
        message:
          'the pipeline uses selectors or exclude: the function must see the whole package, or generated files pile up; remove them',
      });
    }
    // Nearly all items of a real list are somebody else's, and often all of them.
    const mine = this.#input.mentions(GROUP) ? items.filter((item) => item.mentions(GROUP)) : [];
    const all = source && !items.some((item) => sameObject(item, source)) ? [...mine, source] : mine;
    for (const item of all) this.#classify(item);
    if (this.#sources.size === 0 && !mine.some((item) => item.mentions(OWNER_ANNOTATION))) {
      return { outputs: [...items], results: this.#results };
    }
    // What a broken configuration would have said is missing now, and would be reported of every source.
    if (this.#configBroken) {
      this.#checkKinds();
      return { outputs: [...items], results: this.#results };
    }
    this.#catalog = new Catalog(source ? [...items, source] : items);
    const server = this.#expandServer();
    const generated = [...this.#expandBackups(), ...this.#expandActions(), ...server];
    this.#checkTemplates();
    if (this.#config.mode === 'validate' || this.#results.some((result) => result.severity === 'error')) {
      return { outputs: [...items], results: this.#results };
    }
    const local = new Set(
      [...this.#sources].flatMap(([kind, same]) => (isServerKind(kind) && !this.#foldsServer ? [] : same)),
    );
    const expanded = expandInPlace(
      {
        items,
        local,
        generated,
        isSourceKind: (kind) => ['ScheduledBackup', 'RequestedBackupAction', SERVER_OWNER].includes(kind),
      },
      { ownerAnnotation: OWNER_ANNOTATION, outputFolder: this.#config.outputFolder ?? DEFAULT_FOLDER },
    );
    return { outputs: expanded.outputs, results: [...this.#results, ...expanded.results] };
  }

  /** In the generator role of kustomize, the source itself stands in the place of the configuration. */
  #readConfig(): Item | undefined {
    const { functionConfig } = this.#input;
    if (functionConfig?.kind === 'ScheduledBackup' || functionConfig?.kind === 'RequestedBackupAction') {
      return Item.fromValue(functionConfig, -1);
    }
    const { config, problems } = readFunctionConfig(functionConfig);
    this.#reportConfig(problems);
    this.#configBroken = hasError(problems);
    this.#config = config;
    return undefined;
  }

  /** Says what is wrong with the configuration once, however many sources show it. */
  #reportConfig(problems: readonly Problem[]): void {
    const { functionConfig } = this.#input;
    const item = functionConfig && Item.fromValue(functionConfig, -1);
    for (const problem of problems) {
      const key = `${problem.path}\n${problem.message}`;
      if (!this.#saidOfConfig.has(key)) this.#report(item, problem);
      this.#saidOfConfig.add(key);
    }
  }

  get #foldsServer(): boolean {
    return this.#config.serverConfiguration !== undefined;
  }

  #classify(item: Item): void {
    const kind = kindOf(item);
    // The server's kinds are not ours to judge unless asked to: the cluster may know later versions of them.
    const foreign = typeof kind !== 'string' && isOfServer(item) && !this.#foldsServer;
    if (kind === null || foreign) {
      this.#report(item, ...checkReadable(item));
      return;
    }
    if (typeof kind !== 'string') {
      this.#report(item, kind);
      return;
    }
    if (kind === 'ExpandBackups') this.#report(item, ...this.#checkConfig(item));
    const same = this.#sources.get(kind) ?? [];
    this.#sources.set(kind, same);
    same.push(item);
  }

  /** A configuration that kpt passes as one of the items, too, was checked already. */
  #checkConfig(item: Item): Problem[] {
    const { functionConfig } = this.#input;
    if (functionConfig && sameObject(Item.fromValue(functionConfig, -1), item)) return checkReadable(item);
    return readKind('ExpandBackups', item).problems;
  }

  #expandBackups(): Generated[] {
    return this.#each('ScheduledBackup', (item, backup) => {
      const catalog = this.#catalog.seenBy(item);
      const { plan, problems } = planBackup(backup, catalog, this.#config);
      this.#report(item, ...problems);
      if (!plan) return undefined;
      this.#plans.set(item, plan);
      const expanded = expandScheduledBackup(plan, catalog, this.#config);
      this.#report(item, ...expanded.problems, ...checkServerAccess(plan, this.#server));
      this.#reportConfig(
        expanded.configProblems.map((problem) => ({
          ...problem,
          path: configPath(this.#input.functionConfig, problem.path ?? ''),
        })),
      );
      return expanded.objects;
    });
  }

  /** Reads what the list declares of the server, and folds it into a ConfigMap if that was asked for. */
  #expandServer(): Generated[] {
    const users = this.#readServer('BackupUser');
    const collections = this.#readServer('BackupCollection');
    this.#server = { users: [...users.values()], collections: [...collections.values()] };
    for (const [item, user] of users) {
      this.#report(item, ...checkAccessKeys(user, this.#server));
      if (this.#foldsServer) this.#report(item, ...checkPasswords(user));
    }
    const { serverConfiguration } = this.#config;
    if (!serverConfiguration) return [];
    const { generated, findings } = foldServerConfiguration(
      [...users.keys(), ...collections.keys()],
      serverConfiguration,
    );
    for (const [item, problem] of findings) this.#report(item, problem);
    return generated;
  }

  /** The valid objects of a kind; what is wrong with the others is only said if they are for us. */
  #readServer<K extends 'BackupUser' | 'BackupCollection'>(kind: K): Map<Item, Kinds[K]> {
    const found = new Map<Item, Kinds[K]>();
    for (const item of this.#sources.get(kind) ?? []) {
      const { object, problems } = readKind(kind, item);
      this.#report(item, ...(this.#foldsServer ? problems : checkReadable(item)));
      if (object) found.set(item, object);
    }
    return found;
  }

  #expandActions(): Generated[] {
    return this.#each('RequestedBackupAction', (item, action) => {
      const { name } = action.spec.scheduledBackupRef;
      const target = this.#catalog
        .seenBy(item)
        .find('ScheduledBackup', action.metadata.namespace ?? '', name);
      if (!target) {
        this.#report(item, this.#missingBackup(action));
        return undefined;
      }
      const plan = this.#plans.get(target);
      // Without a plan, the ScheduledBackup has errors of its own, and these are reported there.
      if (!plan) return undefined;
      const expanded = expandAction(action, plan, this.#config);
      this.#report(item, ...expanded.problems);
      return expanded.objects;
    });
  }

  #missingBackup({ spec, metadata }: RequestedBackupAction): Problem {
    const { name } = spec.scheduledBackupRef;
    const elsewhere = this.#catalog.namespacesOf('ScheduledBackup', name);
    const near = nearest(name, this.#catalog.names('ScheduledBackup'));
    const hint =
      elsewhere.length > 0
        ? `: move the action to ${elsewhere.join(' or ')}, where there is one`
        : near
          ? `; did you mean ${near}?`
          : '';
    return {
      code: 'not-found',
      path: 'spec.scheduledBackupRef.name',
      message: `there is no ScheduledBackup ${JSON.stringify(name)} ${metadata.namespace ? `in the namespace ${metadata.namespace} of the action` : 'among the resources'}${hint}`,
      value: name,
      ...(near && elsewhere.length === 0 && { proposal: near }),
    };
  }

  /** What is wrong with the sources themselves, whatever the configuration may say. */
  #checkKinds(): void {
    for (const kind of ['ScheduledBackup', 'RequestedBackupAction'] as const)
      for (const item of this.#sources.get(kind) ?? []) this.#report(item, ...readKind(kind, item).problems);
    for (const kind of ['BackupUser', 'BackupCollection'] as const) this.#readServer(kind);
    this.#checkTemplates();
  }

  #checkTemplates(): void {
    for (const item of this.#sources.get('ClusterBackupProcedureTemplate') ?? [])
      this.#report(item, ...readTemplate(item).problems);
  }

  /** Reads every item of a kind, and wraps what it expands to. */
  #each<K extends 'ScheduledBackup' | 'RequestedBackupAction'>(
    kind: K,
    expand: (item: Item, object: Kinds[K]) => KubernetesObject[] | undefined,
  ): Generated[] {
    return (this.#sources.get(kind) ?? []).flatMap((item) => {
      const { object, problems } = readKind(kind, item);
      this.#report(item, ...problems);
      const objects = object && expand(item, object);
      return objects ? [generatedFrom(kind, item, objects)] : [];
    });
  }

  #report(item: Item | undefined, ...problems: readonly Problem[]): void {
    this.#results.push(...problems.map((problem) => toResult(problem, item)));
  }
}

function generatedFrom(kind: string, item: Item, objects: readonly KubernetesObject[]): Generated {
  const { namespace, name } = item.identity;
  const owner = ownerOf(kind, namespace, name);
  const former = namespacesOf(item).flatMap((ns) =>
    namesOf(item).map((formerName) => ownerOf(kind, ns, formerName)),
  );
  return {
    owner,
    formerOwners: former.filter((value) => value !== owner),
    source: item.position < 0 ? undefined : item,
    objects: objects.map(asJson),
  };
}

/** Text that mentions our group, and from which not even its kind can be told, may well be ours. */
function checkReadable(item: Item): Problem[] {
  try {
    item.value();
    return [];
  } catch (error) {
    if (!(error instanceof ItemSyntaxError)) throw error;
    const { message, ...problem } = syntaxProblem(error);
    return [{ ...problem, message: item.identity.kind ? message : `items[${item.position}]: ${message}` }];
  }
}

function sameObject(a: Item, b: Item): boolean {
  const x = a.identity;
  const y = b.identity;
  return (
    x.kind === y.kind && x.apiVersion === y.apiVersion && x.namespace === y.namespace && x.name === y.name
  );
}
