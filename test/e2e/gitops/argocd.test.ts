/**
 * docs/argocd.md: its manifests are put onto a stand-in for Argo CD, and the repo server's containers render as Argo CD would have them:
 * the plugin's own command, in the application's folder, in an image without Node.js.
 */
import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { runPod } from '../containers/pod.ts';
import { podman, podmanOutput } from '../containers/podman.ts';
import { FLAGS } from '../kustomize/kustomize.ts';
import { documents, filesOf, folderWith, type Manifest, names, only, run, succeed } from '../sandbox.ts';
import { runShellGuide } from './shell-guide.ts';

const test = suite('docs/argocd.md');

const ARGOCD = 'quay.io/argoproj/argocd:v3.2.0';
const STAND_IN = 'localhost/backup-maker-test/argocd:1';

/** The little of Argo CD's manifests that the guide's patches are about. */
const INSTALL = `
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: argocd-repo-server}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: argocd-repo-server}}
  template:
    metadata: {labels: {app.kubernetes.io/name: argocd-repo-server}}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      containers:
        - name: argocd-repo-server
          image: ${ARGOCD}
          args: [/usr/local/bin/argocd-repo-server]
          securityContext:
            runAsNonRoot: true
            runAsUser: 999
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes:
        - {name: tmp, emptyDir: {}}
        - {name: var-files, emptyDir: {}}
        - {name: plugins, emptyDir: {}}
`;

let folder = '';
const read = (path: string) => filesOf(folder)[path] ?? '';

test.before(async () => {
  // Debian's C library and tools, as Argo CD's image has Ubuntu's; kustomize at its place there; no Node.js.
  const name = 'backup-maker-test-argocd';
  await podman(['rm', '--force', name]);
  await podmanOutput(
    'create',
    '--pull=never',
    '--name',
    name,
    'docker.io/library/debian:bookworm-slim',
    'true',
  );
  try {
    const kustomize = succeed('sh', ['-c', 'command -v kustomize']).trim();
    await podmanOutput('cp', kustomize, `${name}:/usr/local/bin/kustomize`);
    await podmanOutput('commit', '--quiet', name, STAND_IN);
  } finally {
    await podman(['rm', '--force', name]);
  }
});
test.after(async () => {
  await podman(['rmi', '--force', STAND_IN]);
});

test('every command does what it says', () => {
  const argocd = folderWith({ 'install.yaml': INSTALL });
  // kustomize may read a file of elsewhere only with an option, which a reader does not need.
  const address = 'https://raw.githubusercontent.com/argoproj/argo-cd/v3.2.0/manifests/install.yaml';
  const start = folderWith();
  cpSync(argocd, join(start, 'argocd/plugin'), { recursive: true });
  cpSync(argocd, join(start, 'argocd/program'), { recursive: true });
  folder = runShellGuide(
    'docs/argocd.md',
    { change: (text) => text.replaceAll(address, 'install.yaml') },
    start,
  );
});

/** Runs the repo server's init containers, and one of its containers with another command, in the application's folder. */
async function rendered(objects: Manifest[], container: string, command: string[]): Promise<string> {
  const { template } = only(objects, 'Deployment', 'argocd-repo-server').spec;
  const repository = folderWith();
  cpSync(join(folder, 'repository'), repository, { recursive: true });
  // The user of these containers must be able to read it, and cannot write to it.
  for (const path of ['.', ...Object.keys(filesOf(repository))])
    chmodSync(join(repository, path), path === '.' ? 0o755 : 0o644);
  const chosen = template.spec.containers.find(({ name }: Manifest) => name === container);
  const { args: _, ...rest } = chosen;
  const result = await runPod({
    name: 'argocd-repo-server',
    namespace: 'argocd',
    template: {
      ...template,
      spec: {
        ...template.spec,
        restartPolicy: 'Never',
        containers: [
          {
            ...rest,
            command,
            workingDir: '/repository/shop',
            volumeMounts: [
              ...chosen.volumeMounts,
              { name: 'repository', mountPath: '/repository', readOnly: true },
            ],
          },
        ],
        volumes: [
          ...template.spec.volumes,
          { name: 'repository', persistentVolumeClaim: { claimName: 'repository' } },
        ],
      },
    },
    objects,
    claims: { repository },
    images: { [ARGOCD]: STAND_IN },
    deadlineSeconds: 600,
  });
  assert.is(result.exitCode, 0, result.logs);
  return result.containers.at(-1)?.stdout ?? '';
}

const expected = () => succeed('kustomize', ['build', ...FLAGS, join(folder, 'repository/shop')]);

test("the plugin's command gives in its container what kustomize gives here", async () => {
  const objects = documents(read('with-plugin.yaml'));
  const plugin = parse(only(objects, 'ConfigMap', 'backup-maker-plugin').data['plugin.yaml']);
  assert.equal(plugin, parse(read('argocd/plugin/plugin.yaml')));
  const { metadata, spec } = plugin;
  const application = parse(read('applications/shop.yaml'));
  assert.is(application.spec.source.plugin.name, `${metadata.name}-${spec.version}`);
  const output = await rendered(objects, 'backup-maker', [
    ...spec.generate.command,
    ...(spec.generate.args ?? []),
  ]);
  assert.is(output, expected());
  assert.equal(
    names(documents(output)).map((name) => name.replace(/-[a-z0-9]{10}$/, '')),
    [
      'ConfigMap shop/database-backup',
      'ConfigMap shop/database-restore',
      'CronJob shop/database-backup',
      'Job shop/restore-monday',
    ],
  );
});

test("the repo server's own kustomize finds the function, in an image without Node.js", async () => {
  const objects = documents(read('with-program.yaml'));
  const options: string = only(objects, 'ConfigMap', 'argocd-cm').data['kustomize.buildOptions'];
  const kustomize = ['kustomize', 'build', ...options.split(' '), '.'];
  assert.is(await rendered(objects, 'argocd-repo-server', kustomize), expected());
  const node = ['sh', '-c', 'command -v node || echo none'];
  assert.is(await rendered(objects, 'argocd-repo-server', node), 'none\n');
});

test('what Argo CD syncs has no label that it would track, and no TTL', () => {
  for (const object of documents(expected())) {
    const text = JSON.stringify(object);
    assert.not.ok(text.includes('app.kubernetes.io/instance'));
    assert.not.ok(text.includes('ttlSecondsAfterFinished'));
  }
});

for (const [annotation, value] of [
  ['argocd.argoproj.io/hook', 'PreSync'],
  ['argocd.argoproj.io/sync-options', 'Replace=true'],
  ['argocd.argoproj.io/sync-options', 'Force=true'],
]) {
  test(`a restore with ${annotation}: ${value} is refused`, () => {
    const spoiled = folderWith();
    cpSync(join(folder, 'repository'), spoiled, { recursive: true });
    const file = join(spoiled, 'shop/backup.yaml');
    succeed('sed', ['-i', `s|^  name: restore-monday$|&\\n  annotations: {${annotation}: ${value}}|`, file]);
    const { code, stderr } = run('kustomize', ['build', ...FLAGS, join(spoiled, 'shop')]);
    assert.is(code, 1);
    assert.match(stderr, /makes? Argo CD run the restore again on every sync/);
  });
}

test.run();
