import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/api/problem.ts';
import { readScope } from '../../../src/server/access/scope.ts';

const element = { type: 'collection', name: 'web', roles: ['backupUploader'] };

const test = suite('operations scope');

test('absent means none, also in the ways in which forms and unset structures say so', () => {
  for (const none of [undefined, null, '', 'null', {}, '{}', { elements: null }])
    assert.is(readScope(none), null);
});

test('an object and its JSON text mean the same; the other spelling of a role is understood', () => {
  const scope = { elements: [{ ...element, roles: ['usersManager', 'backupUploader'] }] };
  const expected = { elements: [{ ...element, roles: ['userManager', 'backupUploader'] }] };
  assert.equal(readScope(scope), expected);
  assert.equal(readScope(JSON.stringify(scope)), expected);
});

test('whatever could be meant as a limit and is not understood is refused, and the field is named', () => {
  const many = Array.from({ length: 60 }, (_, index) => ({ ...element, name: `${'n'.repeat(100)}${index}` }));
  const cases: [unknown, string][] = [
    [{ elements: [] }, 'operationsScope.elements'],
    [{ elements: {} }, 'operationsScope.elements'],
    [{ element: [element] }, 'operationsScope'],
    [[element], 'operationsScope'],
    ['not json', 'operationsScope'],
    ['"{}"', 'operationsScope'],
    [7, 'operationsScope'],
    [{ elements: [null] }, 'operationsScope.elements[0]'],
    [{ elements: [{ ...element, type: 'server' }] }, 'operationsScope.elements[0].type'],
    [{ elements: [element, { ...element, name: '' }] }, 'operationsScope.elements[1].name'],
    [{ elements: [{ ...element, name: 'n'.repeat(254) }] }, 'operationsScope.elements[0].name'],
    [{ elements: [{ ...element, roles: [] }] }, 'operationsScope.elements[0].roles'],
    [{ elements: [{ ...element, roles: ['root'] }] }, 'operationsScope.elements[0].roles[0]'],
    [{ elements: [{ ...element, until: 'tomorrow' }] }, 'operationsScope.elements[0]'],
    [{ elements: Array(65).fill(element) }, 'operationsScope.elements'],
    [{ elements: many }, 'operationsScope'],
    [' '.repeat(1e6), 'operationsScope'],
  ];
  for (const [value, path] of cases) {
    try {
      readScope(value);
    } catch (error) {
      assert.instance(error, UserError);
      assert.is((error as UserError).problem.path, path);
      continue;
    }
    assert.unreachable(`was accepted: ${JSON.stringify(value).slice(0, 100)}`);
  }
});

test.run();
