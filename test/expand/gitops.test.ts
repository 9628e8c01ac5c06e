import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRestoreAnnotations, gitOpsAnnotations } from '../../src/expand/gitops.ts';

test('annotations for Argo CD and Flux are passed on, their own bookkeeping and all others are not', () => {
  assert.equal(
    gitOpsAnnotations({
      'argocd.argoproj.io/sync-wave': '5',
      'kustomize.toolkit.fluxcd.io/prune': 'disabled',
      'argocd.argoproj.io/tracking-id': 'a:b',
      'config.kubernetes.io/local-config': 'true',
      'internal.config.kubernetes.io/path': 'a.yaml',
      'example.org/argocd.argoproj.io/x': 'y',
    }),
    { 'argocd.argoproj.io/sync-wave': '5', 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
  );
});

test('what would run a restore again is refused on it', () => {
  const count = (key: string, value: string) => checkRestoreAnnotations({ [key]: value }).length;
  assert.is(count('argocd.argoproj.io/hook', 'Sync'), 1);
  assert.is(count('argocd.argoproj.io/sync-options', 'Prune=false,Force=true'), 1);
  assert.is(count('argocd.argoproj.io/sync-options', 'Replace=true'), 1);
  assert.is(count('argocd.argoproj.io/sync-options', 'Prune=false,Force=false'), 0);
  assert.is(count('kustomize.toolkit.fluxcd.io/force', 'enabled'), 1);
  assert.is(count('kustomize.toolkit.fluxcd.io/force', 'disabled'), 0);
  assert.is(count('argocd.argoproj.io/sync-wave', '1'), 0);
});

test.run();
