/** How the client reaches the server: its address, the collection, and what it logs in with. */
import type { ScheduledBackup } from '../../gen/types.ts';
import { explainFormat } from '../api/formats.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import type { Problem } from '../api/problem.ts';
import type { Operation } from '../api/procedure.ts';
import { show } from '../api/validate.ts';
import { Environment, type SecretEntry } from './environment.ts';
import type { RepositoryValue } from './script.ts';
import type { Found, Values } from './values.ts';

export interface Access extends Shared {
  logins: Record<Operation, Login>;
}

interface Shared {
  /** What both operations are given; the login of each comes on top. */
  environment: Environment;
  /** The server's address if it is known when rendering, for a NetworkPolicy. */
  url: string | undefined;
  /** The collection if it is known when rendering. */
  collection: string | undefined;
  /** `Repository.*` for scripts, but the token. */
  repository: Map<string, RepositoryValue>;
  problems: Problem[];
}

/** What the client of one operation logs in with. */
export interface Login {
  environment: Environment;
  /** `Repository.token` for scripts. */
  repository: Map<string, RepositoryValue>;
  /** Credentials that stood in vars in clear text, by variable name. */
  literals: Map<string, string>;
}

type AccessKeySecretRef = NonNullable<ScheduledBackup['spec']['accessKeySecretRef']>;

/** Works out the `BM_URL` and `BM_COLLECTION_ID` variables of a pod, and the login variables of each operation's. */
export function planAccess(backup: ScheduledBackup, values: Values, config: FunctionConfig): Access {
  const { accessKeySecretRef: key, restoreAccessKeySecretRef: restoreKey } = backup.spec;
  const access: Shared = {
    environment: new Environment(),
    url: undefined,
    collection: undefined,
    repository: new Map(),
    problems: [],
  };
  planUrl(access, backup, values, config);
  planCollection(access, backup, values);
  const login = planLogin(key, access.problems, backup, values);
  const restore = restoreKey ? planLogin(restoreKey, access.problems, backup, values) : login;
  if (key && restoreKey) checkRestoreKey(access.problems, key, restoreKey);
  return { ...access, logins: { backup: login, restore } };
}

function planUrl(access: Shared, backup: ScheduledBackup, values: Values, config: FunctionConfig): void {
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
    } else if (leavesClusterOpenly(url)) {
      access.problems.push({
        code: 'suspicious',
        path: own === undefined ? 'spec.vars.Repository.url' : 'spec.repository.url',
        message: `${JSON.stringify(url)} leads out of the cluster: without https:// everybody on the way can read what the client logs in with`,
        value: url,
        proposal: url.replace(/^http:/i, 'https:'),
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

/** Names of Services have at most two labels, or `svc` as the third; what an address is near to nobody can tell. */
function leavesClusterOpenly(url: string): boolean {
  const host = /^http:\/\/([^/:]+)/i.exec(url)?.[1] ?? '';
  const [, , third] = host.split('.');
  return third !== undefined && third !== 'svc' && !/^[\d.]+$/.test(host);
}

function planCollection(access: Shared, backup: ScheduledBackup, values: Values): void {
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

/** Where user name and password of an access key are. */
export function accessKeyEntries({
  name,
  usernameKey = 'username',
  passwordKey = 'password',
}: AccessKeySecretRef): [username: SecretEntry, password: SecretEntry] {
  return [
    { name, key: usernameKey },
    { name, key: passwordKey },
  ];
}

/** An access key goes before a token; scripts see the token, or nothing where the client logs in by itself. */
function planLogin(
  key: AccessKeySecretRef | undefined,
  problems: Problem[],
  backup: ScheduledBackup,
  values: Values,
): Login {
  const login: Login = { environment: new Environment(), repository: new Map(), literals: new Map() };
  const { tokenSecretRef: token, restoreAccessKeySecretRef: restoreKey } = backup.spec;
  const fromVars = values.find(['Repository', 'token']);
  if (key) {
    const [username, password] = accessKeyEntries(key);
    login.environment.setSecret('BM_ACCESS_KEY_USERNAME', username);
    login.environment.setSecret('BM_ACCESS_KEY_PASSWORD', password);
    login.repository.set('token', { text: '' });
    return login;
  }
  if (fromVars && 'secret' in fromVars) {
    login.environment.setSecret('BM_AUTH_TOKEN', fromVars.secret);
  } else if (token) {
    login.environment.setSecret('BM_AUTH_TOKEN', { name: token.secretName, key: token.tokenKey });
  } else if (textOf(fromVars)) {
    login.literals.set('BM_AUTH_TOKEN', textOf(fromVars) ?? '');
    problems.push(plaintext('spec.vars.Repository.token', 'spec.accessKeySecretRef'));
  } else {
    problems.push({
      code: 'missing-field',
      path: 'spec.accessKeySecretRef',
      message: `is required: name the Secret that holds the user name and password of an access key${restoreKey ? '; spec.restoreAccessKeySecretRef serves restores only' : ''}`,
    });
    return login;
  }
  login.repository.set('token', { variable: 'BM_AUTH_TOKEN' });
  problems.push({
    code: 'expiring-token',
    path: 'spec.tokenSecretRef',
    message:
      'a token expires and the backup then fails: let the client log in with spec.accessKeySecretRef instead',
  });
  return login;
}

/** One access key under both names is most likely a slip, as nothing is gained by it. */
function checkRestoreKey(problems: Problem[], key: AccessKeySecretRef, restoreKey: AccessKeySecretRef): void {
  const [[own], [restores]] = [accessKeyEntries(key), accessKeyEntries(restoreKey)];
  if (own.name !== restores.name || own.key !== restores.key) return;
  problems.push({
    code: 'suspicious',
    path: 'spec.restoreAccessKeySecretRef',
    message: 'is the access key that backups hold: name another one, or remove it',
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
