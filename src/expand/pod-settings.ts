/** What the API server would refuse in a pod with a user's settings merged over ours, found before it does. */
import type { PodSpec } from 'kubernetes-types/core/v1.d.ts';
import type { PodTemplate } from '../../gen/types.ts';
import { nearest } from '../api/nearest.ts';
import { MOST_PROBLEMS, type Problem } from '../api/problem.ts';
import { quantityOf } from './quantity.ts';

const BASE = 'spec.podTemplate';

/** Problems of the merged pod of the container `container`. */
export function checkPodSettings(spec: PodSpec, container: string): Problem[] {
  const main = spec.containers.find(({ name }) => name === container);
  const volumes = (spec.volumes ?? []).map(({ name }) => name);
  const problems: Problem[] = [];
  const known = new Set(volumes);
  for (const { name } of main?.volumeMounts ?? []) {
    if (known.has(name)) continue;
    if (problems.length === MOST_PROBLEMS) break;
    const near = nearest(name, volumes);
    problems.push({
      code: 'not-found',
      path: `${BASE}.volumeMounts`,
      message: `there is no volume ${JSON.stringify(name)}; ${near ? `did you mean ${near}?` : `add it to ${BASE}.volumes`}`,
      value: name,
      ...(near && { proposal: near }),
    });
  }
  const { requests = {}, limits = {} } = main?.resources ?? {};
  for (const [resource, request] of Object.entries(requests)) {
    const limit = limits[resource];
    if (limit === undefined || !isAbove(request, limit)) continue;
    problems.push({
      code: 'invalid-value',
      path: `${BASE}.resources.requests.${resource}`,
      message: `${request} is more than the limit of ${limit}: lower the request, or raise limits.${resource}`,
      value: String(request),
    });
  }
  return problems;
}

/** The settings with our own requests lowered to the user's limits, where these are below them. */
export function lowerRequests(
  requests: Readonly<Record<string, string>>,
  settings: PodTemplate['resources'],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(requests).map(([resource, request]) => {
      const limit = settings?.limits?.[resource];
      const own = settings?.requests?.[resource];
      return [
        resource,
        own === undefined && limit !== undefined && isAbove(request, limit) ? String(limit) : request,
      ];
    }),
  );
}

function isAbove(a: string | number, b: string | number): boolean {
  const [left, right] = [quantityOf(a), quantityOf(b)];
  return left !== undefined && right !== undefined && left > right;
}
