/** The expansion as a function of the TypeScript SDK `kpt-functions`, for pipelines that compose functions with it. */
import type { Configs, KptFunc, KubernetesObject, Result as SdkResult } from 'kpt-functions';
import { expandBackups as expand } from '../../src/expand/expand.ts';
import { Item } from '../../src/krm/item.ts';
import type { JsonObject } from '../../src/krm/json.ts';
import type { Result } from '../../src/krm/result.ts';

/**
 * Expands the sources among the objects, and adds what it has to say as results. With an error among these, the
 * objects stay as they are; the SDK's `run` then ends with exit code 1.
 */
export const expandBackups: KptFunc = async (configs) => {
  const originals = new Map<Item, KubernetesObject>();
  for (const object of configs.getAll()) originals.set(Item.fromValue(plain(object), originals.size), object);
  const { outputs, results } = expand(inputOf(configs, [...originals.keys()]));
  configs.addResults(...results.map(sdkResult));
  if (results.some(({ severity }) => severity === 'error')) return;
  // Objects that are not ours stay the very same, so that references to them keep their meaning.
  const objects = outputs.map((output) =>
    output instanceof Item
      ? (originals.get(output) ?? kubernetesObject(output.value()))
      : kubernetesObject(output),
  );
  configs.deleteAll();
  configs.insert(...objects);
};

expandBackups.usage =
  'Expands ScheduledBackup and RequestedBackupAction into CronJobs, Jobs, ConfigMaps and Secrets. Configured by a ConfigMap or an ExpandBackups object.';

function inputOf(configs: Configs, items: readonly Item[]): Parameters<typeof expand>[0] {
  const functionConfig = configs.getFunctionConfig();
  return {
    items,
    functionConfig: functionConfig && plain(functionConfig),
    mentions: (text) => items.some((item) => item.mentions(text)),
  };
}

/** A copy that holds nothing but JSON: the SDK's YAML reader makes Date objects of timestamps. */
function plain(object: KubernetesObject): JsonObject {
  return JSON.parse(JSON.stringify(object)) as JsonObject;
}

function kubernetesObject(object: JsonObject): KubernetesObject {
  return object as unknown as KubernetesObject;
}

/** The same result in the SDK's words. */
function sdkResult({ severity, message, tags, resourceRef, file, field }: Result): SdkResult {
  const { path, currentValue, proposedValue } = field ?? {};
  return {
    severity: severity === 'warning' ? 'warn' : severity,
    message,
    ...(tags && { tags }),
    ...(resourceRef && { resourceRef: { namespace: '', ...resourceRef } }),
    ...(file && { file }),
    ...(path !== undefined && {
      field: {
        path,
        ...(currentValue !== undefined && { currentValue }),
        ...(proposedValue !== undefined && { suggestedValue: proposedValue }),
      },
    }),
  };
}
