/** What the generator works on: a definition file that was read, and what is to be made of it. */
import type { Operation } from '../api/procedure.ts';
import type { Vars } from '../api/vars.ts';
import type { JsonObject } from '../krm/json.ts';

/** A definition file, read: its three maps under our names for them. */
export type Definition = Vars;

/** The procedure: a built-in one by its name, or the text of a template file of the user's own. */
export interface DefinitionTemplate {
  name: string;
  /** The script of the wanted operation, and the file that it comes from; undefined for a built-in procedure. */
  own?: { script: string; file: string };
}

/** The key file as it is, a SealedSecret that has the key as its entry `gpg-key`, or no encryption. */
export type DefinitionKey = { bytes: Uint8Array } | { sealed: JsonObject } | 'none';

/** What is made of a definition. */
export interface DefinitionTarget {
  operation: Operation;
  form: 'kubernetes' | 'script';
  template: DefinitionTemplate;
  key: DefinitionKey;
  /** Name of the generated objects, as they begin. `HelmValues.name` goes before it. */
  name: string;
  namespace?: string;
  /** Cron expression of a backup's CronJob. */
  schedule: string;
  /** Image of the procedure; undefined for that of the built-in procedure, or of the original. */
  image?: string;
  /** Version that a restore takes if nothing else is said when it runs. */
  targetVersion?: string;
  /** A restore's Job runs once for each of these. */
  runId?: string;
}
