/**
 * Runs the pod of deploy/ as it was rendered, with its probes as the kubelet would use them, until it is asked to stop.
 *
 * What is not as in a cluster: the port is a free one, because pods here share the machine's network; and the image's tag, if the
 * registry's is not here, is whatever test/e2e/containers/install.sh built under that name.
 */
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import * as assert from 'uvu/assert';
import { eventually, PATIENCE_MS } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { type PodResult, runPod } from '../containers/pod.ts';
import type { RunningContainer } from '../containers/podman.ts';
import type { Manifest } from '../sandbox.ts';

export interface ServerPod {
  url: string;
  container: RunningContainer;
}

export interface ServerPodRequest {
  /** The StatefulSet or Deployment, its ConfigMap, and the Secrets. */
  objects: readonly Manifest[];
  /** Folders of this machine, by claim. */
  claims?: Record<string, string>;
}

/** The probes and hooks of a container, which the harness has not. */
export interface Probes {
  startup: { httpGet: { path: string } };
  liveness: { httpGet: { path: string } };
  readiness: { exec: { command: string[] } };
  preStop: { exec: { command: string[] } };
}

function askToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // A test that has asked itself may find that it has ended already: how it did is what is looked at.
  }
}

/** Runs the pod; `use` is called once it is ready. Then it gets SIGTERM, and must end by itself. */
export async function withServerPod(
  { objects, claims = {} }: ServerPodRequest,
  use: (pod: ServerPod, probes: Probes) => Promise<void>,
): Promise<PodResult> {
  const port = await freePort();
  const moved = JSON.parse(JSON.stringify(objects).replaceAll('8080', String(port))) as Manifest[];
  const server = moved.find(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
  const template = server?.spec.template;
  const [container] = template.spec.containers;
  const probes = takeProbes(container);
  const url = `http://127.0.0.1:${port}`;
  let used = false;
  const result = await runPod({
    template: forOnce(template),
    name: 'backup-repository-0',
    objects: moved,
    claims,
    deadlineSeconds: 600,
    whileRunning: async (running) => {
      const started = async () => (await fetch(url + probes.startup.httpGet.path)).ok;
      // Nobody listens at first.
      await eventually('the server has started', () => started().catch(() => false), 100, 2 * PATIENCE_MS);
      const ready = async () => (await running.exec(...probes.readiness.exec.command)).code === 0;
      await eventually('the server is ready', () => ready().catch(() => false), 100, 2 * PATIENCE_MS);
      await use({ url, container: running }, probes);
      used = true;
      askToEnd(running.pid);
    },
  });
  assert.ok(used, result.logs);
  return result;
}

function takeProbes(container: Manifest): Probes {
  const { startupProbe, livenessProbe, readinessProbe, lifecycle } = container;
  for (const field of ['startupProbe', 'livenessProbe', 'readinessProbe', 'lifecycle'])
    delete container[field];
  return {
    startup: startupProbe,
    liveness: livenessProbe,
    readiness: readinessProbe,
    preStop: lifecycle.preStop,
  };
}

/** The harness runs pods to their end, and places them on the only machine there is. */
function forOnce(template: Manifest): PodTemplateSpec {
  return { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } as PodTemplateSpec;
}
