import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Environment } from '../../src/expand/environment.ts';
import { renderScript } from '../../src/expand/script.ts';
import { Values } from '../../src/expand/values.ts';

const params = {
  host: 'db',
  port: 5432,
  mixed: ' A b ',
  'a-b': 'topsecret',
  a_b: 'othersecret',
  empty: '',
  map: { x: 'y' },
};
const secrets = new Map([
  ['Params.password', { name: 'db', key: 'Params.password' }],
  ['Params.a-b', { name: 'db', key: 'Params.a-b' }],
  ['Params.a_b', { name: 'db', key: 'Params.a_b' }],
]);

function render(script: string, openSecret?: string) {
  const context = {
    values: new Values(
      { Params: { ...params, token: 'in-clear-text' }, Repository: {}, HelmValues: {} },
      secrets,
      openSecret,
    ),
    repository: new Map([
      ['url', { text: 'https://a' }],
      ['token', { variable: 'BM_AUTH_TOKEN' }],
    ]),
    environment: new Environment(),
    literals: new Map<string, string>(),
    bound: new Map<string, string>(),
  };
  return { ...renderScript(script, context), ...context };
}

test('plain values are put in place, and filtered', () => {
  const { text, problems } = render(
    '{{ .Params.host }}:{{ .Params.port }} {{ .Params.mixed | trim | upper | quote }} {{ .Params.empty | default "d" }} {{ .Params.none | default "n" }} {{ .Params.map.x | squote }} {{ .Repository.url }}',
  );
  assert.is(text, `db:5432 "A B" d n 'y' https://a`);
  assert.equal(problems, []);
});

test('what comes from a Secret, or is a credential, becomes a variable and stays out of the script', () => {
  const { text, environment, literals } = render(
    '"{{ .Params.password }}" {{ .Params.token | quote }} {{ .Repository.token }}',
  );
  assert.is(text, '"${BM_PARAMS_PASSWORD}" "${BM_PARAMS_TOKEN}" ${BM_AUTH_TOKEN}');
  assert.equal([...literals], [['BM_PARAMS_TOKEN', 'in-clear-text']]);
  assert.equal(environment.list(), [
    { name: 'BM_PARAMS_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'Params.password' } } },
  ]);
});

test('two names that would become the same variable become two', () => {
  const { text, environment } = render('{{ .Params.a-b }} {{ .Params.a_b }} {{ .Params.a-b }}');
  assert.is(text, '${BM_PARAMS_A_B} ${BM_PARAMS_A_B_} ${BM_PARAMS_A_B}');
  assert.equal(
    environment.list().map(({ valueFrom }) => valueFrom?.secretKeyRef?.key),
    ['Params.a-b', 'Params.a_b'],
  );
});

test('a Secret with unknown entries is asked for what vars lack, and a default spares the entry', () => {
  const { text, environment } = render('{{ .Params.pass }} {{ .Params.region | default "eu-1" }}', 'open');
  assert.is(text, '${BM_PARAMS_PASS} ${BM_PARAMS_REGION:-eu-1}');
  assert.equal(
    environment.list().map(({ valueFrom }) => valueFrom?.secretKeyRef?.optional ?? false),
    [false, true],
  );
});

test('a Secret in single quotes is pointed out, as the shell would not expand it', () => {
  const codes = (script: string) => render(script).problems.map(({ code }) => code);
  assert.equal(codes(`a 'b {{ .Params.password }}'`), ['suspicious']);
  assert.equal(
    codes(`# it's\n{{ .Params.password }} "it's {{ .Params.password }}" \\' {{ .Params.password }}`),
    [],
  );
  assert.equal(codes(`"$(echo 'x {{ .Params.password }}')"`), ['suspicious']);
  assert.equal(codes('{{ .Params.password | upper }}'), ['suspicious']);
});

test('values that are not there are named with the nearest that is', () => {
  const message = (script: string) => render(script).problems[0]?.message ?? '';
  assert.match(message('\n{{ .Params.hots }}'), /^line 2: .*did you mean \.Params\.host\?/);
  assert.match(message('{{ .Param.host }}'), /did you mean \.Params\.host\?/);
  assert.match(message('{{ .Params.map }}'), /map or a list/);
  for (const path of [
    '.Params.constructor',
    '.Params.__proto__',
    '.Params.host.length',
    '.Params.map.toString',
    '.toString',
  ])
    assert.match(message(`{{ ${path} }}`), /has no value/, path);
});

test('a script is only ever text: what would be code elsewhere goes through as it is', () => {
  const script = '${process.exit(1)} <% throw 1 %> `id` #{1+1} $' + "{'a'.constructor}";
  assert.is(render(script).text, script);
});

test('a script that no ConfigMap could hold is not even put together', () => {
  const { text, problems } = render(`${'x'.repeat(1024 * 1024 - 5)}\n${'{{ .Params.host }}'.repeat(10)}`);
  assert.is(problems.length, 1);
  assert.match(problems[0]?.message ?? '', /^line 2: the script is larger than 1 MiB/);
  assert.ok(text.length <= 1024 * 1024);
});

test.run();
