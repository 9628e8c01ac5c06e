/**
 * The Job that makes a missing key pair in the cluster, once, with no right but to that one Secret.
 *
 * The client never overwrites a key, so the Job may run again, beside another one, or after the Secret came from
 * elsewhere. Its pod is the only one that is given a token of its ServiceAccount, for ten minutes.
 */
import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { PodTemplateSpec, ServiceAccount, Volume } from 'kubernetes-types/core/v1.d.ts';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import type { Role, RoleBinding } from 'kubernetes-types/rbac/v1.d.ts';
import type { PodTemplate } from '../../gen/types.ts';
import type { FunctionConfig } from '../api/function-config.ts';
import { GROUP } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';
import { digest } from './digest.ts';
import { escapeReferences } from './environment.ts';
import { mergePodTemplate } from './merge.ts';
import { checkNameLength, metadataOf } from './metadata.ts';
import type { KubernetesObject } from './objects.ts';
import { CLIENT } from './paths.ts';
import type { NewKey, Plan } from './plan.ts';
import { containerSecurity } from './pod.ts';
import { DEFAULT_CLIENT_IMAGE } from './procedure.ts';

const COMPONENT = 'keygen';
/** Not the label of the backup's own pods: a NetworkPolicy that is about these would cut this one off from the API. */
const KEY_LABEL = `${GROUP}/key-of`;
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const USER = 65532;
const RBAC = 'rbac.authorization.k8s.io';

/** Role, ServiceAccount, RoleBinding and Job; a NetworkPolicy where the other pods have one. */
export function expandNewKey(
  plan: Plan,
  key: NewKey,
  config: FunctionConfig,
  annotations: Record<string, string>,
): { objects: KubernetesObject[]; problems: Problem[] } {
  const name = `${plan.name}-${COMPONENT}`;
  const metadata = metadataOf(plan, name, COMPONENT, annotations);
  const role: Role = {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata,
    rules: [
      // What does not exist yet has no name that the right to create it could be limited to.
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: [key.secretName], verbs: ['get', 'patch'] },
    ],
  };
  const account: ServiceAccount = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
    automountServiceAccountToken: false,
  };
  const binding: RoleBinding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, ...(plan.namespace && { namespace: plan.namespace }) }],
  };
  const objects: KubernetesObject[] = [role, account, binding];
  if (config.networkPolicy) objects.push(networkPolicyOf(plan, metadata));
  objects.push(jobOf(plan, key, config, annotations));
  const problems = checkNameLength(plan.name, COMPONENT.length + 12, 63);
  if (!plan.namespace) {
    problems.push({
      code: 'note',
      path: 'metadata.namespace',
      message: `is not set, and RoleBinding ${name} cannot be applied without it: write it, or let kustomize set it`,
    });
  }
  return { objects, problems };
}

/** Arguments of the client that make the key: in the cluster, or as a manifest to apply. */
export function keygenArguments(key: NewKey, to: 'create-secret' | 'secret'): string[] {
  const entries: [flag: string, entry: string, usual: string][] = [
    ['public-key-entry', key.publicKey, 'key.pub'],
    ['private-key-entry', key.privateKey, 'key'],
    ['passphrase-entry', key.passphrase, 'passphrase'],
  ];
  return [
    ...['keygen', '--format=openpgp', `--${to}`, key.secretName],
    ...(key.email === undefined ? [] : [`--email=${key.email}`]),
    ...entries.flatMap(([flag, entry, usual]) => (entry === usual ? [] : [`--${flag}=${entry}`])),
  ];
}

function jobOf(plan: Plan, key: NewKey, config: FunctionConfig, annotations: Record<string, string>): Job {
  const settings = [config.podTemplate, plan.backup.spec.podTemplate];
  const template = settings.reduce<PodTemplateSpec>(
    (merged, own) => (own ? mergePodTemplate(merged, placementOnly(own), COMPONENT) : merged),
    podTemplateOf(plan, key, config.clientImage ?? DEFAULT_CLIENT_IMAGE),
  );
  const name = `${plan.name}-${COMPONENT}-${digest(JSON.stringify(template))}`;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadataOf(plan, name, COMPONENT, annotations),
    spec: { backoffLimit: 6, activeDeadlineSeconds: 3600, template },
  };
}

/** Where and how the pods run; not what is meant for the container that runs the procedure. */
function placementOnly(settings: PodTemplate): PodTemplate {
  const { resources: _resources, volumes: _volumes, volumeMounts: _mounts, ...kept } = settings;
  const { serviceAccountName: _account, containerSecurityContext: _security, ...placement } = kept;
  return placement;
}

function podTemplateOf(plan: Plan, key: NewKey, image: string): PodTemplateSpec {
  return {
    metadata: {
      labels: {
        'app.kubernetes.io/name': 'backup-maker',
        'app.kubernetes.io/component': COMPONENT,
        'app.kubernetes.io/managed-by': 'expand-backups',
        [KEY_LABEL]: plan.name,
      },
    },
    spec: {
      restartPolicy: 'Never',
      serviceAccountName: `${plan.name}-${COMPONENT}`,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: COMPONENT,
          image,
          command: [CLIENT],
          args: keygenArguments(key, 'create-secret').map(escapeReferences),
          resources: {
            requests: { cpu: '50m', memory: '128Mi', 'ephemeral-storage': '16Mi' },
            limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '64Mi' },
          },
          securityContext: containerSecurity(true),
          volumeMounts: [{ name: 'token', mountPath: TOKEN_FOLDER, readOnly: true }],
        },
      ],
      volumes: [tokenVolume()],
    },
  };
}

/** What the kubelet mounts by itself where that is not turned off, with a token of the shortest life there is. */
function tokenVolume(): Volume {
  const namespace = { path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } };
  return {
    name: 'token',
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [namespace] } },
      ],
    },
  };
}

/** The API server stands in no list: the ports that it is usually reached at, behind its Service and before it. */
function networkPolicyOf(plan: Plan, metadata: NetworkPolicy['metadata']): NetworkPolicy {
  const ports = [443, 6443].map((port) => ({ protocol: 'TCP', port }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    ...(metadata && { metadata }),
    spec: {
      podSelector: { matchLabels: { [KEY_LABEL]: plan.name } },
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ ports }],
    },
  };
}
