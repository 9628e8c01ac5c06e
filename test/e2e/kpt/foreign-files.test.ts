/** Files that are none of our business leave as `cat` in our place would leave them, byte for byte. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { filesOf } from '../sandbox.ts';
import { databaseBackup } from '../sources.ts';
import { packageWith, render } from './package.ts';

const test = suite('kpt: foreign files');

const foreign = {
  'values.yaml': `# before everything
apiVersion: example.org/v1 # beside a value
# between two keys
kind: Odd
metadata:
  name: odd
  # last in a mapping

  annotations: # beside a key
    "quoted key": 'on'
    yes: "no" # a key that YAML 1.1 takes for true
spec:
  defaultMode: 0644
  octal: 0o644
  big: 12345678901234567890
  precise: 1.00000000000000000001
  exponent: 1.0E+6
  hex: 0x1F
  time: 12:30:45
  underscore: 1_000
  tilde: ~
  nothing:
  # after nothing
  bool: [on, Off, 'on', "y", n]
  flow: {a: 1, 'b':  [ x, "y" ], c: }
  anchored: &anchor {x: 1}
  alias: *anchor
  merged:
    <<: *anchor
    y: 2
  ? complex key
  : complex value
  literal: |+
    ends with blank lines


  folded: >-
    one
    two

    three
  quoted: "tab\\tunicode\\u00e9 \\
    continued"
  plain: it's a "plain" one # with a comment
    # more of it
list:
# at the list
- a

# between items
-   b # beside an item
- - nested
  # at the end of the inner list
# at the very end
---
# a second document
apiVersion: v1
kind: ConfigMap
metadata: {name: second, namespace: shop}
data:
  mentions: riotkit.org/v1alpha1 ScheduledBackup # but is none
  script: |
    #!/bin/sh
    ---
    echo "not a document"
`,
  'lists/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
    name: wide
    namespace: shop
spec:
    template:
        spec:
            volumes:
                - name: a
                  configMap: {name: a, defaultMode: 0400}
            containers:
                - name: app
                  image: "app:1.10"
                  env:
                      - {name: FLAG, value: 'true'}
                      - {name: VERSION, value: "1.10"}
`,
  'crlf.yaml': 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: crlf\r\ndata:\r\n  a: "1"\r\n',
  'kustomization.yaml': 'resources:\n  - values.yaml # no name, no kind\n',
  'sealed.yaml': `apiVersion: v1
kind: Secret
metadata:
    name: sops
data:
    key: ENC[AES256_GCM,data:p673w==,iv:YY=,aad:UQ=,tag:A=]
sops:
    lastmodified: "2024-01-01T00:00:00Z"
    mac: ENC[AES256_GCM,data:abc=,iv:def=,tag:ghi=,type:str]
`,
};

const catPipeline = '  mutators:\n    - exec: cat\n';

/** What a package looks like after a pipeline, its Kptfile left out. */
function after(files: Record<string, string>, pipeline?: string): Record<string, string> {
  const folder = packageWith(files, pipeline);
  render(folder);
  const { Kptfile: _, ...others } = filesOf(folder);
  return others;
}

test('a package without any source', () => {
  assert.equal(after(foreign), after(foreign, catPipeline));
});

test('a package with a source: only the mark of the source and the generated file are new', () => {
  const source = `# head\n${databaseBackup('orders', { namespace: 'shop' })}# foot\n`;
  const files = { ...foreign, 'backup.yaml': source };
  const { 'generated/orders.yaml': generated, ...others } = after(files);
  assert.match(generated ?? '', /^kind: CronJob$/m);
  const expected = after(files, catPipeline);
  const marked = (expected['backup.yaml'] ?? '').replace(
    '  namespace: shop\n',
    '  namespace: shop\n  annotations:\n    config.kubernetes.io/local-config: "true"\n',
  );
  assert.equal(others, { ...expected, 'backup.yaml': marked });
});

test('the same three renders later', () => {
  const folder = packageWith({ ...foreign, 'backup.yaml': databaseBackup('orders', { namespace: 'shop' }) });
  render(folder);
  const first = filesOf(folder);
  for (let times = 0; times < 3; times++) render(folder);
  assert.equal(filesOf(folder), first);
});

test('kpt by itself keeps what is odd in them', () => {
  // Otherwise the comparisons above would prove nothing.
  const odd = after(foreign, catPipeline)['values.yaml'] ?? '';
  for (const text of ['defaultMode: 0644', '12345678901234567890', `'on'`, '# between items', '1.0E+6'])
    assert.ok(odd.includes(text), text);
});

test.run();
