import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Environment, escapeReferences } from '../../src/expand/environment.ts';

/** What the kubelet makes of a value: k8s.io/kubernetes/third_party/forked/golang/expansion, translated. */
function kubelet(input: string, variables: Readonly<Record<string, string>>): string {
  let output = '';
  for (let at = 0; at < input.length; at++) {
    const next = input[at + 1];
    if (input[at] !== '$' || next === undefined) {
      output += input[at];
      continue;
    }
    const close = next === '(' ? input.indexOf(')', at + 2) : -1;
    if (close >= 0) {
      const name = input.slice(at + 2, close);
      output += variables[name] ?? `$(${name})`;
      at = close;
    } else {
      output += next === '$' ? '$' : `$${next}`;
      at++;
    }
  }
  return output;
}

test('any text arrives in the container as it was written', () => {
  for (const text of [
    'pa$$word',
    '$(HOME)',
    '$$(HOME)',
    '$$$(HOME)',
    '$',
    '$$',
    'a$b',
    '$($(X))',
    '$(unclosed',
  ])
    assert.is(kubelet(escapeReferences(text), { HOME: 'expanded', X: 'expanded' }), text, text);
  const text = fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', ' ') });
  fc.assert(fc.property(text, (value) => kubelet(escapeReferences(value), { A: 'expanded' }) === value));
});

test('what needs no escaping is left readable', () => {
  assert.is(escapeReferences('${HOME}/a$b'), '${HOME}/a$b');
});

test('variables that refer to others come after them, and later settings win', () => {
  const environment = new Environment();
  environment.setExpanding('URL', 'http://$(HOST)');
  environment.set('HOST', 'first');
  environment.set('PRICE', '5$(net)');
  environment.setSecret('PASSWORD', { name: 'db', key: 'password', optional: true });
  environment.set('HOST', 'second');
  assert.equal(environment.list(), [
    { name: 'HOST', value: 'second' },
    { name: 'PRICE', value: '5$$(net)' },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password', optional: true } } },
    { name: 'URL', value: 'http://$(HOST)' },
  ]);
});

test.run();
