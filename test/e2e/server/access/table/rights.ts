/**
 * Who may do what, written down a second time: nothing here comes from `src/server/access`, so that a mistake there
 * shows.
 */

/** What each role is for. `sessions` and `profiles` concern accounts and the whole server, the rest one collection. */
const ROLES = {
  systemAdmin: 'download upload anytime manage profiles sessions',
  userManager: 'profiles',
  collectionManager: 'download upload anytime manage',
  backupDownloader: 'download',
  backupUploader: 'upload',
  uploadsAnytime: 'upload anytime',
  none: '',
} as const;

export type Role = keyof typeof ROLES;
export const roles = Object.keys(ROLES) as Role[];
export type Right = 'list' | 'download' | 'upload' | 'anytime' | 'manage' | 'profiles' | 'sessions';

/** Roles for one collection. */
export interface Grant {
  collection: string;
  role: Role;
}

/** How somebody comes to the server. */
export interface Principal {
  /** Unique; also the name of the account. */
  name: string;
  /** Role of the account. */
  role: Role;
  /** Entry of the account in a collection's access control list. */
  listed?: Grant;
  /** What the access key is for; without one, the account's own password is used. */
  key?: Grant;
  /** What the token is limited to. */
  scope?: Grant;
  /** Why the token is worth nothing, and so the status of every answer about it. */
  dead?: 401 | 403;
  /** Whether the credentials still work. */
  mayLogIn: boolean;
}

/** Whether somebody has a right, for a collection or, without one, for the server. */
export function has(who: Principal, right: Right, collection?: string): boolean {
  const { role, listed, key, scope, dead } = who;
  if (dead) return false;
  // Versions are listed to those who may add to them or get one.
  if (right === 'list') return has(who, 'upload', collection) || has(who, 'download', collection);
  if (collection === undefined) return !key && !scope && gives(role, right);
  const filters = [key, scope].filter((grant) => grant !== undefined);
  const passed = filters.every((grant) => grant.collection === collection && gives(grant.role, right));
  const granted = gives(role, right) || (listed?.collection === collection && gives(listed.role, right));
  return passed && granted;
}

function gives(role: Role, right: Right): boolean {
  return ROLES[role].split(' ').includes(right);
}
