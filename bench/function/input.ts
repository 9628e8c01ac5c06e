/** Inputs of the measurements: the same bytes on every machine. */

/** The text of a ResourceList, as kustomize would send it, with `sources` ScheduledBackups among `foreign` others. */
export function resourceList(sources: number, foreign: number): string {
  return envelope(resources(sources, foreign));
}

/** A ResourceList of foreign resources with about this many bytes. */
export function foreignList(bytes: number): string {
  const items: string[] = [];
  for (let size = 0; size < bytes; size += items.at(-1)?.length ?? 0) items.push(deployment(items.length));
  return envelope(items);
}

/** The resources as block mappings in column 0, the sources spread evenly. */
export function resources(sources: number, foreign: number): string[] {
  const items: string[] = [];
  const total = sources + foreign;
  for (let index = 0, made = 0; index < total; index++) {
    const source = made < sources && Math.floor(((index + 1) * sources) / total) > made;
    items.push(source ? scheduledBackup(made++) : deployment(index));
  }
  return items;
}

function envelope(items: readonly string[]): string {
  const entries = items.map((item) => `- ${item.trimEnd().replaceAll('\n', '\n  ')}\n`);
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${entries.join('')}`;
}

function scheduledBackup(index: number): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata:
  name: shop-${index}
  namespace: shop
spec:
  accessKeySecretRef:
    name: backup-access
  collectionId: shop-${index}
  cronJob:
    enabled: true
    scheduleEvery: 30 2 * * *
    timeZone: Europe/Warsaw
  encryption:
    recipients:
    - age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
  repository:
    url: https://backups.example.org
  templateRef:
    kind: internal
    name: postgres
    version: "16"
  vars:
    Params:
      db: shop
      hostname: postgres-${index}
      user: shop
  varsSecretRef:
    importOnlyKeys:
    - Params.password
    secretName: shop-database
`;
}

function deployment(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app.kubernetes.io/name: web-${index}
    app.kubernetes.io/part-of: shop
  name: web-${index}
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: web-${index}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web-${index}
    spec:
      containers:
      - args:
        - --listen=:8080
        env:
        - name: FEATURE_FLAG
          value: "on"
        image: registry.example.org/shop/web:1.${index}.0
        name: web
        ports:
        - containerPort: 8080
          name: http
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
        resources:
          limits:
            memory: 256Mi
          requests:
            cpu: 50m
            memory: 128Mi
        volumeMounts:
        - mountPath: /etc/web
          name: config
      volumes:
      - configMap:
          defaultMode: 0644
          name: web-${index}
        name: config
`;
}
