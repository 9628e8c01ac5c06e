/**
 * Configuration from the Kubernetes API: BackupUsers, BackupCollections and the Secrets that they refer to, of one
 * namespace.
 *
 * Each kind is watched; each Secret is watched by its name, so that the server needs no right to any other. While the
 * API cannot be reached, the last good state stays in use.
 */
import { UserError } from '../../api/problem.ts';
import type { JsonObject } from '../../krm/json.ts';
import type { ConfigurationProvider, Snapshot } from './configuration.ts';
import { connect, type KubernetesClient, type Selection, statusOf } from './kubernetes-client.ts';
import { Reflector } from './reflector.ts';
import { State } from './state.ts';

export interface KubernetesOptions {
  /** Default: `backup-repository`. */
  namespace?: string;
  /** File to take the address and credentials from. Default: those of the pod, else KUBECONFIG or ~/.kube/config. */
  kubeconfig?: string;
  /** Milliseconds that the first answer may take. Default: 30000. */
  startTimeoutMs?: number;
  /** Milliseconds before a failed watch is tried again; doubles up to 30 s. Default: 1000. */
  retryMs?: number;
}

const KINDS: readonly { kind: string; selection: Selection }[] = [
  {
    kind: 'BackupUser',
    selection: { group: 'backups.riotkit.org', version: 'v1alpha1', plural: 'backupusers' },
  },
  {
    kind: 'BackupCollection',
    selection: { group: 'backups.riotkit.org', version: 'v1alpha1', plural: 'backupcollections' },
  },
];

export class KubernetesProvider implements ConfigurationProvider {
  readonly #options: KubernetesOptions;
  readonly #namespace: string;
  readonly #state = new State();
  readonly #reflectors = new Map<string, Reflector>();
  #client: KubernetesClient | undefined;

  constructor(options: KubernetesOptions = {}) {
    this.#options = options;
    this.#namespace = options.namespace ?? 'backup-repository';
  }

  /** An empty namespace is a good start: its users may come later. An API that does not answer, or refuses, is not. */
  async start(): Promise<void> {
    this.#client = await this.#connect();
    for (const { kind, selection } of KINDS) this.#reflect(selection.plural, kind, selection);
    try {
      await this.#listed([...this.#reflectors.values()]);
      this.#followSecrets();
      await this.#listed([...this.#reflectors.values()]);
    } catch (error) {
      const reasons = this.#faults();
      await this.stop();
      throw new UserError(
        { code: 'not-found', message: reasons[0] ?? 'the Kubernetes API does not answer' },
        { cause: error },
      );
    }
  }

  current(): Snapshot {
    return this.#state.snapshot();
  }

  problems(): readonly string[] {
    const nobody =
      this.current().users.size === 0 ? [`there is no BackupUser in namespace ${this.#namespace}`] : [];
    return [...this.#faults(), ...nobody, ...this.#state.problems()];
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
    this.#reflectors.clear();
  }

  async #connect(): Promise<KubernetesClient> {
    const { kubeconfig } = this.#options;
    try {
      return await connect(kubeconfig);
    } catch (error) {
      // Not the message itself: a YAML reader quotes what it stumbles over, which may be a token.
      const code = (error as NodeJS.ErrnoException).code ?? 'it is not a kubeconfig';
      const what = kubeconfig === undefined ? 'the kubeconfig' : `the kubeconfig ${kubeconfig}`;
      throw new UserError({ code: 'invalid-value', message: `${what} cannot be read (${code})` });
    }
  }

  #reflect(key: string, kind: string, selection: Selection): void {
    if (!this.#client) return;
    const sourceOf = (name: string) => `${this.#namespace}/${selection.plural}/${name}`;
    const apiVersion = selection.group === '' ? selection.version : `${selection.group}/${selection.version}`;
    const reflector = new Reflector(this.#client, this.#namespace, selection, this.#options.retryMs ?? 1000, {
      replaced: (objects) => {
        const prefix = sourceOf(selection.name ?? '');
        const present = new Set(objects.map((object) => sourceOf(nameOf(object))));
        for (const source of this.#state.sources()) {
          if (
            source.startsWith(prefix) &&
            !present.has(source) &&
            (selection.name === undefined || source === prefix)
          ) {
            this.#state.remove(source);
          }
        }
        for (const object of objects) this.#update(sourceOf(nameOf(object)), { ...object, apiVersion, kind });
        this.#followSecrets();
      },
      changed: (object) => {
        this.#update(sourceOf(nameOf(object)), { ...object, apiVersion, kind });
        this.#followSecrets();
      },
      removed: (object) => {
        this.#state.remove(sourceOf(nameOf(object)));
        this.#followSecrets();
      },
    });
    this.#reflectors.set(key, reflector);
    reflector.start();
  }

  #update(source: string, value: JsonObject): void {
    this.#state.update(source, [{ line: 1, value }], { encoding: 'base64' });
  }

  /** Watches the Secrets that are referred to now, and no others. */
  #followSecrets(): void {
    // Before both kinds are known, every Secret would look as if nothing referred to it.
    if (!KINDS.every(({ selection }) => this.#reflectors.get(selection.plural)?.isListed)) return;
    const wanted = new Set(referredSecrets(this.current()));
    for (const [key, reflector] of this.#reflectors) {
      const name = key.startsWith('secrets/') ? key.slice('secrets/'.length) : undefined;
      if (name === undefined || wanted.has(name)) continue;
      this.#reflectors.delete(key);
      void reflector.stop();
      this.#state.remove(`${this.#namespace}/secrets/${name}`);
    }
    for (const name of wanted) {
      const key = `secrets/${name}`;
      if (this.#reflectors.has(key)) continue;
      this.#reflect(key, 'Secret', { group: '', version: 'v1', plural: 'secrets', name });
    }
  }

  async #listed(reflectors: readonly Reflector[]): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.startTimeoutMs ?? 30_000);
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true });
    });
    await Promise.race([Promise.all(reflectors.map((reflector) => reflector.firstList())), late]);
  }

  #faults(): string[] {
    return [...this.#reflectors].flatMap(([key, { fault }]) =>
      fault ? [this.#describe(key, fault.error)] : [],
    );
  }

  #describe(key: string, error: unknown): string {
    const status = statusOf(error);
    const where = `${key} in namespace ${this.#namespace}`;
    if (status === 401 || status === 403) {
      return `the Kubernetes API does not let this server list and watch ${where}: grant it with a Role`;
    }
    if (status === 404)
      return `the Kubernetes API does not know ${where}: apply the definitions in deploy/crds`;
    const code = (error as { cause?: { code?: string }; code?: unknown }).cause?.code;
    const detail = status === undefined ? (code ?? 'no connection') : `status ${status}`;
    return `the Kubernetes API does not answer for ${where} (${detail}); the last good state stays in use`;
  }
}

function referredSecrets({ users, collections }: Snapshot): string[] {
  const references = [
    ...[...users.values()].flatMap(({ spec }) => [
      spec.passwordFromRef,
      ...(spec.accessKeys ?? []).map((key) => key.passwordFromRef),
    ]),
    ...[...collections.values()].map(({ spec }) => spec.healthSecretRef),
  ];
  return references.flatMap((reference) => (reference ? [reference.name] : []));
}

function nameOf({ metadata }: JsonObject): string {
  return String((metadata as JsonObject | undefined)?.name ?? '');
}
