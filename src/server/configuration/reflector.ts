/** Follows one selection of Kubernetes objects for as long as it is not stopped, whatever fails in between. */
import type { KubernetesObject, ListWatch } from '@kubernetes/client-node';
import { asJson, type JsonObject } from '../../krm/json.ts';
import type { KubernetesClient, Selection } from './kubernetes-client.ts';

export interface Listener {
  /** All objects that there are now. */
  replaced(objects: readonly JsonObject[]): void;
  /** One object is new, or another one now. */
  changed(object: JsonObject): void;
  removed(object: JsonObject): void;
}

const MAX_RETRY_MS = 30_000;

export class Reflector {
  readonly #client: KubernetesClient;
  readonly #namespace: string;
  readonly #selection: Selection;
  readonly #retryMs: number;
  readonly #listener: Listener;
  readonly #first = Promise.withResolvers<void>();
  #informer: ListWatch<KubernetesObject> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;
  #listed = false;
  #fault: { error: unknown } | undefined;

  constructor(
    client: KubernetesClient,
    namespace: string,
    selection: Selection,
    retryMs: number,
    listener: Listener,
  ) {
    this.#client = client;
    this.#namespace = namespace;
    this.#selection = selection;
    this.#retryMs = retryMs;
    this.#listener = listener;
  }

  /** Why nothing is followed at the moment; undefined if all is well. */
  get fault(): { error: unknown } | undefined {
    return this.#fault;
  }

  /** True once there was a full list. */
  get isListed(): boolean {
    return this.#listed;
  }

  /** Resolves once there was a full list; never rejects, as that may take for ever. */
  firstList(): Promise<void> {
    return this.#first.promise;
  }

  /**
   * Begins, and begins anew after every error, each time with a full list: what was missed shows up in it, and a server
   * that was restored from a backup, whose versions go back, is no trap.
   */
  start(): void {
    if (this.#stopped) return;
    const informer = this.#client.follow(this.#namespace, this.#selection, {
      listed: (objects) => {
        if (informer !== this.#informer) return;
        this.#listed = true;
        this.#listener.replaced(objects);
        this.#first.resolve();
      },
      // Not with the list already: whoever may list and not watch would have a fault that comes and goes every second.
      watching: () => {
        if (informer !== this.#informer) return;
        this.#failures = 0;
        this.#fault = undefined;
      },
    });
    this.#informer = informer;
    const current = (tell: (object: JsonObject) => void) => (object: KubernetesObject) => {
      if (informer === this.#informer) tell(asJson(object));
    };
    informer.on(
      'add',
      current((object) => this.#listener.changed(object)),
    );
    informer.on(
      'update',
      current((object) => this.#listener.changed(object)),
    );
    informer.on(
      'delete',
      current((object) => this.#listener.removed(object)),
    );
    informer.on('error', (error: unknown) => {
      if (informer === this.#informer) this.#failed(error);
    });
    informer.start().catch((error: unknown) => {
      if (informer === this.#informer) this.#failed(error);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const informer = this.#informer;
    this.#informer = undefined;
    await informer?.stop();
  }

  #failed(error: unknown): void {
    this.#fault = { error };
    const old = this.#informer;
    this.#informer = undefined;
    void old?.stop();
    const delay = Math.min(MAX_RETRY_MS, this.#retryMs * 2 ** Math.min(this.#failures++, 10));
    // Many replicas that lost the same server must not all come back in the same instant.
    this.#timer = setTimeout(() => this.start(), delay * (0.75 + Math.random() / 2));
    if (this.#listed) this.#timer.unref();
  }
}
