/** Everything that the good fixtures generate: the objects that the checks of this folder go through. */
import type { JsonObject } from '../../src/krm/json.ts';
import { expand, goodCases, inputOf, isGenerated, objectsOf } from '../resource-lists.ts';

export interface Generated {
  /** Fixture, kind and name, for messages. */
  label: string;
  object: JsonObject;
}

let cache: Generated[] | undefined;

/** All generated objects of all fixtures. */
export function generatedObjects(): Generated[] {
  cache ??= goodCases().flatMap((fixture) => {
    const outcome = expand(inputOf(fixture));
    if (outcome.exitCode !== 0) throw new Error(`${fixture.name}: ${outcome.stderr}`);
    return objectsOf(outcome.stdout)
      .filter(isGenerated)
      .map((object) => ({ label: `${fixture.name}: ${describe(object)}`, object }));
  });
  return cache;
}

function describe({ kind, metadata }: JsonObject): string {
  return `${kind} ${(metadata as JsonObject).name}`;
}

export interface Pod {
  label: string;
  template: JsonObject;
  spec: JsonObject;
  /** What the pod does: the label that the expansion gives it. */
  operation: string;
}

/** The pod templates of all Jobs and CronJobs. */
export function generatedPods(): Pod[] {
  return generatedObjects().flatMap(({ label, object }) => {
    const job = object.kind === 'CronJob' ? at(object, 'spec', 'jobTemplate') : object;
    if (job?.kind !== 'Job' && object.kind !== 'CronJob') return [];
    const template = at(job, 'spec', 'template') as JsonObject;
    const labels = at(template, 'metadata', 'labels') ?? {};
    const operation = String(labels['app.kubernetes.io/component']);
    return [{ label, template, spec: template.spec as JsonObject, operation }];
  });
}

/** The mapping at a path, if there is one. */
export function at(object: JsonObject | undefined, ...path: string[]): JsonObject | undefined {
  let value: unknown = object;
  for (const step of path) value = (value as JsonObject | undefined)?.[step];
  return value as JsonObject | undefined;
}
