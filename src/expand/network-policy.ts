/** A NetworkPolicy for the pods of a ScheduledBackup: name lookup, the data, the server, and nothing else. */
import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyPeer,
} from 'kubernetes-types/networking/v1.d.ts';
import type { Problem } from '../api/problem.ts';
import { isObject } from '../api/vars.ts';
import type { JsonObject, JsonValue } from '../krm/json.ts';
import { type Catalog, readable } from './catalog.ts';
import { BACKUP_LABEL, metadataOf } from './metadata.ts';
import type { Plan } from './plan.ts';

const DNS: NetworkPolicyEgressRule = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

/** The policy, and a note for every destination that the list tells too little of to narrow it down. */
export function networkPolicyOf(
  plan: Plan,
  catalog: Catalog,
  annotations: Record<string, string>,
): { policy: NetworkPolicy; problems: Problem[] } {
  const problems: Problem[] = [];
  const egress = [DNS];
  for (const target of targetsOf(plan)) {
    const { rule, exact } = ruleFor(target, plan.namespace ?? '', catalog);
    egress.push(rule);
    if (!exact) {
      problems.push({
        code: 'note',
        message:
          `NetworkPolicy ${plan.name}-backup allows port ${target.port} of any address, because no Service in the list tells ` +
          `which pods ${target.host} stands for`,
      });
    }
  }
  const reason = unknownTarget(plan);
  if (reason !== undefined) {
    // Known in the pod only: everything must be allowed, or the policy would cut the pod off from it.
    egress.push({});
    problems.push({
      code: 'note',
      message: `NetworkPolicy ${plan.name}-backup allows every destination, because ${reason}`,
    });
  }
  const policy: NetworkPolicy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(plan, `${plan.name}-backup`, 'network-policy', annotations),
    spec: {
      podSelector: { matchLabels: { [BACKUP_LABEL]: plan.name } },
      policyTypes: ['Ingress', 'Egress'],
      egress,
    },
  };
  return { policy, problems };
}

interface Target {
  host: string;
  port: number;
}

function unknownTarget(plan: Plan): string | undefined {
  if (plan.url === undefined) return 'the address of the server stands in a Secret';
  if (plan.endpoint !== 'unknown') return undefined;
  return plan.backup.spec.templateRef.kind === 'internal'
    ? 'the address of the data is only known in the pod'
    : 'a procedure of your own may connect to anything';
}

function targetsOf(plan: Plan): Target[] {
  const targets: Target[] = [];
  if (plan.endpoint && plan.endpoint !== 'unknown')
    targets.push({ host: plan.endpoint.host, port: Number(plan.endpoint.port) });
  if (plan.url !== undefined) {
    const url = new URL(plan.url);
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    targets.push({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
  }
  return targets;
}

function ruleFor(
  target: Target,
  namespace: string,
  catalog: Catalog,
): { rule: NetworkPolicyEgressRule; exact: boolean } {
  const block = addressBlock(target.host);
  if (block)
    return {
      rule: { to: [{ ipBlock: { cidr: block } }], ports: [{ protocol: 'TCP', port: target.port }] },
      exact: true,
    };
  const [name = '', inNamespace, svc] = target.host.split('.');
  const isService = inNamespace === undefined || svc === undefined || svc === 'svc';
  const service = isService ? readable(catalog.find('Service', inNamespace ?? namespace, name)) : {};
  const selector =
    isObject(service.spec) && isObject(service.spec.selector) ? service.spec.selector : undefined;
  if (!selector) return { rule: { ports: [{ protocol: 'TCP', port: target.port }] }, exact: false };
  const peer: NetworkPolicyPeer = {
    ...(inNamespace !== undefined &&
      inNamespace !== namespace && {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': inNamespace } },
      }),
    podSelector: { matchLabels: selector as Record<string, string> },
  };
  return {
    rule: { to: [peer], ports: [{ protocol: 'TCP', port: targetPort(service, target.port) }] },
    exact: true,
  };
}

function addressBlock(host: string): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(host)) return `${host}/32`;
  return host.includes(':') ? `${host}/128` : undefined;
}

/** Policies see the port of the pod, which a Service may map to another one. */
function targetPort(service: JsonObject, port: number): number | string {
  const ports: JsonValue = isObject(service.spec) ? (service.spec.ports ?? []) : [];
  for (const entry of Array.isArray(ports) ? ports : []) {
    if (!isObject(entry) || entry.port !== port) continue;
    const mapped = entry.targetPort;
    if (typeof mapped === 'number' || typeof mapped === 'string') return mapped;
  }
  return port;
}
