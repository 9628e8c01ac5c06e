/** What planning a procedure takes and gives, whichever of the two sorts it is. */
import type { ScheduledBackup } from '../../gen/types.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import type { Problem } from '../api/problem.ts';
import type { Catalog } from './catalog.ts';
import type { Environment } from './environment.ts';
import type { Endpoint, OperationPlan } from './plan.ts';
import type { RepositoryValue } from './script.ts';
import type { Values } from './values.ts';

/** Image that carries the client, unless the function's configuration names another. */
export const DEFAULT_CLIENT_IMAGE = 'ghcr.io/riotkit-org/backup-maker:0.1.0';

export interface ProcedureContext {
  backup: ScheduledBackup;
  catalog: Catalog;
  config: FunctionConfig;
  values: Values;
  /** Variables that the user gave; the procedure adds its own. */
  environment: Environment;
  literals: ReadonlyMap<string, string>;
  /** The `BM_*` variables of the client. */
  client: Environment;
  repository: ReadonlyMap<string, RepositoryValue>;
}

export interface PlannedProcedure {
  /** Absent if the procedure cannot be used; the problems say why. */
  plan?: Omit<OperationPlan, 'secretFiles' | 'missing'>;
  endpoint?: Endpoint;
  problems: Problem[];
}
