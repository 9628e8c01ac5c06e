/**
 * Annotations with which users steer Argo CD and Flux. On a source they are meant for what is generated from it, and
 * are passed on; on a restore, those that would run it again and again are refused.
 */
import type { Problem } from '../api/problem.ts';

const PASSED_ON = ['argocd.argoproj.io/', 'kustomize.toolkit.fluxcd.io/'];

/** Set by the tools themselves on what they apply: never to be copied. */
const OWN_BOOKKEEPING = /^argocd\.argoproj\.io\/(tracking-id|installation-id|refresh)$/;

export function gitOpsAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => PASSED_ON.some((prefix) => key.startsWith(prefix)) && !OWN_BOOKKEEPING.test(key),
    ),
  );
}

/** What must not stand on a restore, because the tool would delete its Job and run it again. */
export function checkRestoreAnnotations(annotations: Readonly<Record<string, string>>): Problem[] {
  const problems: Problem[] = [];
  const refuse = (key: string, why: string) =>
    problems.push({
      code: 'conflict',
      path: `metadata.annotations["${key}"]`,
      message: `${why}: remove it from a restore`,
    });
  if (annotations['argocd.argoproj.io/hook']) {
    refuse('argocd.argoproj.io/hook', 'makes Argo CD run the restore again on every sync');
  }
  if (/\b(Force|Replace)=true\b/.test(annotations['argocd.argoproj.io/sync-options'] ?? '')) {
    refuse(
      'argocd.argoproj.io/sync-options',
      'Force and Replace make Argo CD run the restore again on every sync',
    );
  }
  if (/^enabled$/i.test(annotations['kustomize.toolkit.fluxcd.io/force'] ?? '')) {
    refuse('kustomize.toolkit.fluxcd.io/force', 'makes Flux run the restore again after every change');
  }
  return problems;
}
