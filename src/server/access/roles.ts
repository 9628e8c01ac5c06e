/** Roles, what each may do, and which other roles it includes. */

/** Things that can be done. Those of collections come first; the last two concern accounts. */
export const ACTIONS = [
  'file.download',
  'file.upload',
  'file.upload-anytime',
  'file.delete',
  'file.pin',
  'profile.view',
  'session.manage',
] as const;
export type Action = (typeof ACTIONS)[number];

export const ROLES = [
  'systemAdmin',
  'userManager',
  'collectionManager',
  'backupDownloader',
  'backupUploader',
  'uploadsAnytime',
] as const;
export type Role = (typeof ROLES)[number];

/** The spelling of the original's CRD beside that of its code: both are accepted everywhere. */
const OTHER_SPELLINGS: ReadonlyMap<string, Role> = new Map([['usersManager', 'userManager']]);

const OWN_ACTIONS: Readonly<Record<Role, readonly Action[]>> = {
  systemAdmin: ['session.manage'],
  userManager: ['profile.view'],
  collectionManager: ['file.delete', 'file.pin'],
  backupDownloader: ['file.download'],
  backupUploader: ['file.upload'],
  // The right to ignore the upload windows is worth nothing without the right to upload.
  uploadsAnytime: ['file.upload', 'file.upload-anytime'],
};

const INCLUDES: Readonly<Partial<Record<Role, readonly Role[]>>> = {
  systemAdmin: ['userManager', 'collectionManager'],
  collectionManager: ['backupDownloader', 'backupUploader', 'uploadsAnytime'],
};

const ALL_ACTIONS: ReadonlyMap<Role, ReadonlySet<Action>> = new Map(
  ROLES.map((role) => [role, new Set(collect(role))]),
);

/** The role of a name, in either spelling; undefined if there is none: such a role grants nothing. */
export function roleOf(name: string): Role | undefined {
  return OTHER_SPELLINGS.get(name) ?? ROLES.find((role) => role === name);
}

/** True if one of the roles, or a role that it includes, may do the action. */
export function grants(roles: readonly string[] | undefined, action: Action): boolean {
  return (roles ?? []).some((name) => {
    const role = roleOf(name);
    return role !== undefined && ALL_ACTIONS.get(role)?.has(action) === true;
  });
}

function collect(role: Role): Action[] {
  return [...OWN_ACTIONS[role], ...(INCLUDES[role] ?? []).flatMap(collect)];
}
