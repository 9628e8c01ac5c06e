/** Environment variables of a pod: where each value comes from, and how Kubernetes writes that down. */
import type { EnvVar } from 'kubernetes-types/core/v1.d.ts';

export interface SecretEntry {
  name: string;
  key: string;
  optional?: boolean;
}

/** A value as far as it is known when rendering: its text, or the Secret entry that will hold it. */
export type Value = { text: string } | { secret: SecretEntry };

/**
 * Text that the kubelet leaves alone: it replaces `$(NAME)`, and reads `$$` as one literal `$` wherever it stands. So
 * dollars are doubled where they stand together, before `(`, and at the end, behind which something may be added.
 */
export function escapeReferences(text: string): string {
  return text.replace(/\${2,}|\$(?=\(|$)/g, (dollars) => dollars + dollars);
}

/** The variables of one container, by name. Later settings of the same name replace earlier ones. */
export class Environment {
  readonly #variables = new Map<string, EnvVar>();

  /** Sets a variable to text, taken as it is: `$(NAME)` inside it is not expanded by the kubelet. */
  set(name: string, text: string): void {
    this.#variables.set(name, { name, value: escapeReferences(text) });
  }

  /** Sets a variable to text in which `$(NAME)` stands for another variable of the container. */
  setExpanding(name: string, text: string): void {
    this.#variables.set(name, { name, value: text });
  }

  /** Sets a variable to an entry of a Secret. */
  setSecret(name: string, entry: SecretEntry): void {
    const { optional, ...ref } = entry;
    this.#variables.set(name, {
      name,
      valueFrom: { secretKeyRef: { ...ref, ...(optional && { optional }) } },
    });
  }

  /** Sets a variable to a field of the pod itself, such as `metadata.namespace`. */
  setField(name: string, fieldPath: string): void {
    this.#variables.set(name, { name, valueFrom: { fieldRef: { fieldPath } } });
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** Adds all variables of another environment; they replace those of the same name. */
  addAll(other: Environment): void {
    for (const [name, variable] of other.#variables) this.#variables.set(name, variable);
  }

  /** A copy with the variables whose names are chosen. */
  filter(choose: (name: string) => boolean): Environment {
    const copy = new Environment();
    for (const [name, variable] of this.#variables) if (choose(name)) copy.#variables.set(name, variable);
    return copy;
  }

  /** The `env` list. References to other variables only work backwards, so expanding ones come last. */
  list(): EnvVar[] {
    const all = [...this.#variables.values()];
    const expanding = (variable: EnvVar) => /(^|[^$])(\$\$)*\$\(/.test(variable.value ?? '');
    return [...all.filter((variable) => !expanding(variable)), ...all.filter(expanding)];
  }
}
