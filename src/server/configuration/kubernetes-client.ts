/** The little of the Kubernetes client library that is used, loaded only when it is. */
import type { KubernetesListObject, KubernetesObject, ListWatch } from '@kubernetes/client-node';
import type { JsonObject } from '../../krm/json.ts';

/** What to list and watch: all objects of a kind, or the one of a name. */
export interface Selection {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly name?: string;
}

export interface KubernetesClient {
  /** A list that is followed by a watch. Not started. `listed` gets every full list. */
  follow(
    namespace: string,
    selection: Selection,
    listed: (objects: JsonObject[]) => void,
  ): ListWatch<KubernetesObject>;
}

/**
 * Takes the address and credentials from a file, else from the pod it runs in, else from KUBECONFIG or ~/.kube/config.
 * Nothing is sent yet. Throws what the library throws for a file that it cannot read.
 */
export async function connect(kubeconfig?: string): Promise<KubernetesClient> {
  const library = await import('@kubernetes/client-node');
  const config = new library.KubeConfig();
  if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
  else if (process.env.KUBERNETES_SERVICE_HOST) config.loadFromCluster();
  else config.loadFromDefault();
  const custom = config.makeApiClient(library.CustomObjectsApi);
  const core = config.makeApiClient(library.CoreV1Api);

  /** A watch that could not even begin (no credentials) would reject where nobody listens, and end the process. */
  class Watch extends library.Watch {
    override async watch(
      path: string,
      parameters: Record<string, string | number | boolean | undefined>,
      callback: (phase: string, object: unknown, event?: unknown) => void,
      done: (error: unknown) => void,
    ): Promise<AbortController> {
      try {
        return await super.watch(path, parameters, callback, done);
      } catch (error) {
        done(error);
        return new AbortController();
      }
    }
  }

  return {
    follow(namespace, selection, listed) {
      const { group, version, plural, name } = selection;
      const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
      const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
      const list = async (): Promise<KubernetesListObject<KubernetesObject>> => {
        const answer: KubernetesListObject<KubernetesObject> =
          group === ''
            ? ((await core.listNamespacedSecret({
                namespace,
                ...(fieldSelector !== undefined && { fieldSelector }),
              })) as KubernetesListObject<KubernetesObject>)
            : await custom.listNamespacedCustomObject({ group, version, namespace, plural });
        listed(answer.items as unknown as JsonObject[]);
        return answer;
      };
      const path = `${base}/namespaces/${namespace}/${plural}`;
      return new library.ListWatch(path, new Watch(config), list, false, undefined, fieldSelector);
    },
  };
}

/** HTTP status that an error of the library stands for; undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (typeof code === 'number') return code;
  return typeof statusCode === 'number' ? statusCode : undefined;
}
