/** The little of the Kubernetes client library that is used, loaded only when it is. */
import type { KubernetesListObject, KubernetesObject, ListWatch } from '@kubernetes/client-node';
import { asJson, type JsonObject } from '../../krm/json.ts';

/** What to list and watch: all objects of a kind, or the one of a name. */
export interface Selection {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly name?: string;
}

export interface KubernetesClient {
  /** A list that is followed by a watch. Not started. */
  follow(
    namespace: string,
    selection: Selection,
    told: {
      /** Gets every full list. */
      listed: (objects: JsonObject[]) => void;
      /** Every time that the API has agreed to a watch. */
      watching: () => void;
    },
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

  class Watch extends library.Watch {
    readonly #watching: () => void;

    constructor(watching: () => void) {
      super(config);
      this.#watching = watching;
    }

    /** A watch that could not even begin (no credentials) would reject where nobody listens, and end the process. */
    override async watch(
      path: string,
      parameters: Record<string, string | number | boolean | undefined>,
      callback: (phase: string, object: unknown, event?: unknown) => void,
      done: (error: unknown) => void,
    ): Promise<AbortController> {
      let refused = false;
      try {
        const controller = await super.watch(path, parameters, callback, (error) => {
          if (error) refused = true;
          done(error);
        });
        if (!refused) this.#watching();
        return controller;
      } catch (error) {
        done(error);
        return new AbortController();
      }
    }
  }

  return {
    follow(namespace, selection, { listed, watching }) {
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
        listed(answer.items.map(asJson));
        return answer;
      };
      const path = `${base}/namespaces/${namespace}/${plural}`;
      return new library.ListWatch(path, new Watch(watching), list, false, undefined, fieldSelector);
    },
  };
}

/** HTTP status that an error of the library stands for; undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (typeof code === 'number') return code;
  return typeof statusCode === 'number' ? statusCode : undefined;
}
