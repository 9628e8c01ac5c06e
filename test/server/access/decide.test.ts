import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AccessObject,
  type Actor,
  decideCanDo,
  decideCanList,
  decideCanListSessions,
  decideCanRevoke,
  decideCanViewProfile,
} from '../../../src/server/access/decide.ts';
import { ACTIONS, type Action, ROLES, type Role } from '../../../src/server/access/roles.ts';
import type { UserSpec } from '../../../src/server/configuration/configuration.ts';
import type { Session } from '../../../src/server/metadata/metadata.ts';

/** What each role may do, written out: the table that the code derives from inheritance. */
const MAY: Record<Role, readonly Action[]> = {
  systemAdmin: ACTIONS,
  userManager: ['profile.view'],
  collectionManager: ['file.download', 'file.upload', 'file.upload-anytime', 'file.delete', 'file.pin'],
  backupDownloader: ['file.download'],
  backupUploader: ['file.upload'],
  uploadsAnytime: ['file.upload', 'file.upload-anytime'],
};
const OWN = 'own';
const FOREIGN = 'foreign';

type Roles = readonly Role[];
type AccessControl = NonNullable<AccessObject['accessControl']>;

function actor(spec: UserSpec, options: { key?: string; scope?: Actor['scope'] } = {}): Actor {
  return { user: { name: 'u', spec }, accessKeyName: options.key ?? '', scope: options.scope ?? null };
}
function collection(name: string, accessControl: AccessControl = []): AccessObject {
  return { type: 'collection', name, accessControl };
}
function scopeFor(name: string, roles: Roles): Actor['scope'] {
  return { elements: [{ type: 'collection', name, roles: [...roles] }] };
}
const entry = (name: string, roles: Roles) => ({ type: 'collection' as const, name, roles: [...roles] });

const test = suite('decisions');

test('every role x action x source of the right x filter x own or foreign collection', () => {
  let cases = 0;
  for (const role of ROLES) {
    for (const action of ACTIONS) {
      for (const source of ['global', 'userName', 'name', 'nobody'] as const) {
        for (const filter of ['none', 'key', 'scope', 'both'] as const) {
          for (const filterRole of ROLES) {
            for (const target of [OWN, FOREIGN]) {
              const who = { userName: { userName: 'u' }, name: { name: 'u', type: 'user' as const } };
              const acl =
                source === 'userName' || source === 'name' ? [{ ...who[source], roles: [role] }] : [];
              const key = filter === 'key' || filter === 'both';
              const scoped = filter === 'scope' || filter === 'both';
              const subject = actor(
                {
                  roles: source === 'global' ? [role] : [],
                  accessKeys: [{ name: 'k', objects: [entry(OWN, [filterRole])] }],
                },
                { ...(key && { key: 'k' }), ...(scoped && { scope: scopeFor(OWN, [filterRole]) }) },
              );
              const granted = source === 'global' || (source !== 'nobody' && target === OWN);
              const passes = filter === 'none' || (target === OWN && MAY[filterRole].includes(action));
              const expected = granted && passes && MAY[role].includes(action);
              const found = decideCanDo(subject, action, collection(target, target === OWN ? acl : []));
              assert.is(found, expected, [role, action, source, filter, filterRole, target].join(' '));
              cases++;
            }
          }
        }
      }
    }
  }
  assert.is(cases, 6 * 7 * 4 * 4 * 6 * 2);
});

test('without an object, the account decides alone, and limited sessions have no say', () => {
  for (const role of ROLES) {
    for (const action of ACTIONS) {
      const spec: UserSpec = { roles: [role], accessKeys: [{ name: 'k', objects: [entry(OWN, ROLES)] }] };
      assert.is(decideCanDo(actor(spec), action), MAY[role].includes(action), `${role} ${action}`);
      assert.is(decideCanDo(actor(spec, { key: 'k' }), action), false);
      assert.is(decideCanDo(actor(spec, { scope: scopeFor(OWN, ROLES) }), action), false);
    }
  }
});

test('both spellings of the role, and of the access control entry; an entry that contradicts itself grants nothing', () => {
  assert.is(decideCanDo(actor({ roles: ['usersManager'] }), 'profile.view'), true);
  assert.is(decideCanDo(actor({ roles: ['userManager'] }), 'profile.view'), true);
  const may = (...acl: AccessControl) => decideCanDo(actor({}), 'file.download', collection(OWN, acl));
  const roles: ['backupDownloader'] = ['backupDownloader'];
  assert.is(may({ name: 'u', roles }), true);
  assert.is(may({ name: 'u', userName: 'u', roles }), true);
  assert.is(may({ name: 'u', userName: 'other', roles }), false);
  assert.is(may({ name: 'other', userName: 'u', roles }), false);
  assert.is(may({ roles }), false);
  assert.is(may({ name: 'u', type: 'group' as 'user', roles }), false);
  assert.is(may({ name: 'U', roles }), false);
});

test('an access key that is gone, that names nothing, or another collection, denies', () => {
  const spec: UserSpec = {
    roles: ['systemAdmin'],
    accessKeys: [{ name: 'empty' }, { name: 'k', objects: [entry(OWN, ['collectionManager'])] }],
  };
  assert.is(decideCanDo(actor(spec, { key: 'k' }), 'file.upload', collection(OWN)), true);
  assert.is(decideCanDo(actor(spec, { key: 'k' }), 'file.upload', collection(FOREIGN)), false);
  assert.is(decideCanDo(actor(spec, { key: 'empty' }), 'file.upload', collection(OWN)), false);
  assert.is(decideCanDo(actor(spec, { key: 'gone' }), 'file.upload', collection(OWN)), false);
});

test('a deactivated account may do nothing', () => {
  for (const action of ACTIONS) {
    assert.is(
      decideCanDo(actor({ roles: ['systemAdmin'], deactivated: true }), action, collection(OWN)),
      false,
    );
    assert.is(decideCanDo(actor({ roles: ['systemAdmin'], deactivated: true }), action), false);
  }
});

test('listing needs the right to upload or to download', () => {
  for (const role of ROLES) {
    const expected = MAY[role].includes('file.download') || MAY[role].includes('file.upload');
    assert.is(decideCanList(actor({ roles: [role] }), collection(OWN)), expected, role);
  }
});

test('profiles and sessions: the own ones, those of others for those who may, nothing beyond itself for limited tokens', () => {
  const plain = { ...actor({}), sessionId: 'mine' };
  const admin = { ...actor({ roles: ['systemAdmin'] }), sessionId: 'mine' };
  const limited = { ...actor({ roles: ['systemAdmin'] }, { key: 'k' }), sessionId: 'mine' };
  const session = (id: string, user: string) => ({ id, user }) as Session;
  assert.equal(
    [plain, admin, limited].map((who) => decideCanViewProfile(who, 'u')),
    [true, true, true],
  );
  assert.equal(
    [plain, admin, limited].map((who) => decideCanViewProfile(who, 'x')),
    [false, true, false],
  );
  assert.equal(
    [plain, admin, limited].map((who) => decideCanListSessions(who, 'u')),
    [true, true, false],
  );
  assert.equal(
    [plain, admin, limited].map((who) => decideCanListSessions(who, 'x')),
    [false, true, false],
  );
  assert.equal(
    [plain, admin, limited].map((who) => decideCanRevoke(who, session('mine', 'u'))),
    [true, true, true],
  );
  assert.equal(
    [plain, admin, limited].map((who) => decideCanRevoke(who, session('s', 'u'))),
    [true, true, false],
  );
  assert.equal(
    [plain, admin, limited].map((who) => decideCanRevoke(who, session('s', 'x'))),
    [false, true, false],
  );
});

const roles = fc.uniqueArray(fc.constantFrom(...ROLES), { maxLength: 4 });
const names = fc.constantFrom(OWN, FOREIGN);
const world = fc.record({
  global: roles,
  acl: fc.array(fc.record({ userName: fc.constantFrom('u', 'x'), roles }), { maxLength: 3 }),
  key: fc.option(fc.array(fc.record({ name: names, roles }), { maxLength: 3 }), { nil: undefined }),
  scope: fc.option(fc.array(fc.record({ name: names, roles }), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
  }),
  action: fc.constantFrom(...ACTIONS),
});
type Case = typeof world extends fc.Arbitrary<infer T> ? T : never;

function decide({ global, acl, key, scope, action }: Case): boolean {
  const elements = scope?.map(({ name, roles: each }) => entry(name, each));
  const subject = actor(
    {
      roles: global,
      ...(key && { accessKeys: [{ name: 'k', objects: key.map(({ name, roles: r }) => entry(name, r)) }] }),
    },
    { ...(key && { key: 'k' }), ...(elements && { scope: { elements } }) },
  );
  return decideCanDo(subject, action, collection(OWN, acl));
}

test('removing a role, a list entry or a part of a filter never adds a right', () => {
  fc.assert(
    fc.property(world, fc.nat(), (before, at) => {
      const less = <T>(list: readonly T[]): T[] =>
        list.filter((_, index) => index !== at % Math.max(1, list.length));
      const after: Case[] = [
        { ...before, global: less(before.global) },
        { ...before, acl: less(before.acl) },
        { ...before, acl: before.acl.map((each) => ({ ...each, roles: less(each.roles) })) },
        ...(before.key ? [{ ...before, key: less(before.key) }] : []),
        ...(before.scope && before.scope.length > 1 ? [{ ...before, scope: less(before.scope) }] : []),
      ];
      for (const each of after) assert.ok(!decide(each) || decide(before));
    }),
    { numRuns: 2000 },
  );
});

test('adding a scope or logging in with a key never adds a right', () => {
  fc.assert(
    fc.property(world, (limited) => {
      const { key: _key, scope: _scope, ...free } = limited;
      const unscoped = { ...limited, scope: undefined };
      assert.ok(!decide(limited) || decide(unscoped));
      assert.ok(!decide(limited) || decide({ ...free, key: undefined, scope: undefined }));
    }),
    { numRuns: 2000 },
  );
});

test.run();
