/** How the client reaches the server: its address, the collection, and what it logs in with. */
import type { ScheduledBackup } from '../../gen/types.ts';
import { explainFormat } from '../api/formats.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import type { Problem } from '../api/problem.ts';
import { show } from '../api/validate.ts';
import { Environment } from './environment.ts';
import type { RepositoryValue } from './script.ts';
import type { Found, Values } from './values.ts';

export interface Access {
  environment: Environment;
  /** The server's address if it is known when rendering, for a NetworkPolicy. */
  url: string | undefined;
  /** The collection if it is known when rendering. */
  collection: string | undefined;
  /** `Repository.*` for scripts. */
  repository: Map<string, RepositoryValue>;
  /** Credentials that stood in vars in clear text, by variable name. */
  literals: Map<string, string>;
  problems: Problem[];
}

/** Works out the `BM_URL`, `BM_COLLECTION_ID` and login variables of a pod. */
export function planAccess(backup: ScheduledBackup, values: Values, config: FunctionConfig): Access {
  const access: Access = {
    environment: new Environment(),
    url: undefined,
    collection: undefined,
    repository: new Map(),
    literals: new Map(),
    problems: [],
  };
  planUrl(access, backup, values, config);
  planCollection(access, backup, values);
  planLogin(access, backup, values);
  return access;
}

function planUrl(access: Access, backup: ScheduledBackup, values: Values, config: FunctionConfig): void {
  const own = backup.spec.repository?.url;
  const fromVars = values.find(['Repository', 'url']);
  const url =
    own ?? (fromVars && 'secret' in fromVars ? undefined : (config.repositoryUrl ?? textOf(fromVars)));
  if (url !== undefined) {
    const reason = explainFormat('http-url', url);
    if (reason) {
      const shown = show(url);
      access.problems.push({
        code: 'invalid-value',
        path: 'spec.vars.Repository.url',
        message: shown ? `${shown}: ${reason}` : reason,
      });
    }
    access.url = url;
    access.environment.set('BM_URL', url);
    access.repository.set('url', { text: url });
  } else if (fromVars && 'secret' in fromVars) {
    access.environment.setSecret('BM_URL', fromVars.secret);
    access.repository.set('url', { variable: 'BM_URL' });
  } else {
    access.problems.push({
      code: 'missing-field',
      path: 'spec.repository.url',
      message:
        "is required: write the server's address here, or repositoryUrl into the function's configuration",
    });
  }
}

function planCollection(access: Access, backup: ScheduledBackup, values: Values): void {
  const own = backup.spec.collectionId || undefined;
  const fromVars = values.find(['Repository', 'collectionId']);
  if (fromVars && 'secret' in fromVars) {
    access.environment.setSecret('BM_COLLECTION_ID', fromVars.secret);
    access.repository.set('collectionId', { variable: 'BM_COLLECTION_ID' });
    return;
  }
  const used = textOf(fromVars);
  if (used !== undefined && own !== undefined && used !== own) {
    access.problems.push({
      code: 'suspicious',
      path: 'spec.collectionId',
      message: `is ${JSON.stringify(own)}, but vars.Repository.collectionId, which the original used and which wins, is ${JSON.stringify(used)}: remove one`,
      value: own,
      proposal: used,
    });
  }
  const collection = used ?? own;
  if (collection === undefined) {
    access.problems.push({
      code: 'missing-field',
      path: 'spec.collectionId',
      message: 'is required: the collection of the server that keeps the versions',
    });
    return;
  }
  access.collection = collection;
  access.environment.set('BM_COLLECTION_ID', collection);
  access.repository.set('collectionId', { text: collection });
}

/** An access key goes before a token; scripts see the token, or nothing where the client logs in by itself. */
function planLogin(access: Access, backup: ScheduledBackup, values: Values): void {
  const { accessKeySecretRef: key, tokenSecretRef: token } = backup.spec;
  const fromVars = values.find(['Repository', 'token']);
  if (key) {
    access.environment.setSecret('BM_ACCESS_KEY_USERNAME', {
      name: key.name,
      key: key.usernameKey ?? 'username',
    });
    access.environment.setSecret('BM_ACCESS_KEY_PASSWORD', {
      name: key.name,
      key: key.passwordKey ?? 'password',
    });
    access.repository.set('token', { text: '' });
    return;
  }
  if (fromVars && 'secret' in fromVars) {
    access.environment.setSecret('BM_AUTH_TOKEN', fromVars.secret);
  } else if (token) {
    access.environment.setSecret('BM_AUTH_TOKEN', { name: token.secretName, key: token.tokenKey });
  } else if (textOf(fromVars)) {
    access.literals.set('BM_AUTH_TOKEN', textOf(fromVars) ?? '');
    access.problems.push(plaintext('spec.vars.Repository.token', 'spec.accessKeySecretRef'));
  } else {
    access.problems.push({
      code: 'missing-field',
      path: 'spec.accessKeySecretRef',
      message: 'is required: name the Secret that holds the user name and password of an access key',
    });
    return;
  }
  access.repository.set('token', { variable: 'BM_AUTH_TOKEN' });
  access.problems.push({
    code: 'expiring-token',
    path: 'spec.tokenSecretRef',
    message:
      'a token expires and the backup then fails: let the client log in with spec.accessKeySecretRef instead',
  });
}

/** The warning for a credential in clear text; it is kept out of everything but the generated Secret. */
export function plaintext(path: string, instead: string): Problem {
  return {
    code: 'plaintext-secret',
    path,
    message: `a credential in clear text, kept in a generated Secret that anybody with the rendered files can read: use ${instead}`,
  };
}

function textOf(found: Found): string | undefined {
  return found && 'text' in found && found.text !== '' ? found.text : undefined;
}
