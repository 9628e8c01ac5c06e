/** Figures for Prometheus. Those about collections are read from the database when they are asked for. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../../wire/error-codes.ts';
import { limitsOf } from '../collections/quota.ts';
import type { ConfigurationProvider } from '../configuration/configuration.ts';
import { isOverdue } from '../health/freshness.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { Clock } from '../versions/clock.ts';

export interface MetricsSources {
  configuration: ConfigurationProvider;
  metadata: Pick<Metadata, 'versions'>;
  clock: Clock;
}

const PREFIX = 'backup_repository';

export class Metrics {
  readonly #registry = new Registry();
  readonly #inFlight: Gauge<'collection'>;
  readonly #uploads: Counter<'collection'>;
  readonly #bytes: Counter<'collection' | 'direction'>;
  readonly #failures: Counter<'collection' | 'reason'>;
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #refresh: () => Promise<void>;

  constructor(sources: MetricsSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#inFlight = new Gauge({
      name: `${PREFIX}_uploads_in_flight`,
      help: 'Uploads that this process is receiving now.',
      labelNames: ['collection'],
      registers,
    });
    this.#uploads = new Counter({
      name: `${PREFIX}_uploads_total`,
      help: 'Versions stored.',
      labelNames: ['collection'],
      registers,
    });
    this.#failures = new Counter({
      name: `${PREFIX}_upload_failures_total`,
      help: 'Uploads that did not become a version, by the code of the reason.',
      labelNames: ['collection', 'reason'],
      registers,
    });
    this.#bytes = new Counter({
      name: `${PREFIX}_transferred_bytes_total`,
      help: 'Bytes of versions received (in) and sent (out).',
      labelNames: ['collection', 'direction'],
      registers,
    });
    this.#requests = new Histogram({
      name: `${PREFIX}_http_request_duration_seconds`,
      help: 'Time to answer, uploads and downloads included.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3600],
      registers,
    });
    new Gauge({
      name: `${PREFIX}_configuration_problems`,
      help: 'Mistakes in the configuration, and whatever of it cannot be read now. The log and /ready name them.',
      registers,
      collect() {
        this.set(sources.configuration.problems().length);
      },
    });
    this.#refresh = this.#collections(sources);
  }

  uploadBegan(collection: string): void {
    this.#inFlight.inc({ collection });
  }

  uploadEnded(collection: string, outcome: { bytes: number } | { reason: ErrorCode }): void {
    this.#inFlight.dec({ collection });
    if ('reason' in outcome) {
      this.#failures.inc({ collection, reason: outcome.reason });
    } else {
      this.#uploads.inc({ collection });
      this.#bytes.inc({ collection, direction: 'in' }, outcome.bytes);
    }
  }

  downloaded(collection: string, bytes: number): void {
    this.#bytes.inc({ collection, direction: 'out' }, bytes);
  }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  /** In the text format; fails if the database does. */
  async text(): Promise<string> {
    await this.#refresh();
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Makes the figures about collections; returns how to bring them up to date, all from one query. */
  #collections({ configuration, metadata, clock }: MetricsSources): () => Promise<void> {
    const gauge = (name: string, help: string) =>
      new Gauge({
        name: `${PREFIX}_collection_${name}`,
        help,
        labelNames: ['collection'],
        registers: [this.#registry],
      });
    const gauges = {
      versions: gauge('versions', 'Versions stored.'),
      bytes: gauge('bytes', 'Bytes of all versions stored.'),
      quotaVersions: gauge('quota_versions', 'Versions that rotation keeps (maxBackupsCount).'),
      quotaBytes: gauge('quota_bytes', 'Bytes that all versions together may have (maxCollectionSize).'),
      newestTime: gauge(
        'newest_version_timestamp_seconds',
        'When the newest version was stored; absent without one.',
      ),
      newestAge: gauge('newest_version_age_seconds', 'Age of the newest version; absent without one.'),
      newestBytes: gauge('newest_version_bytes', 'Bytes of the newest version; absent without one.'),
      overdue: gauge(
        'overdue',
        '1 if the newest version is older than expected, or there is none that should be.',
      ),
    };
    return async () => {
      const now = clock();
      const totals = new Map((await metadata.versions.totals()).map((total) => [total.collectionId, total]));
      for (const each of Object.values(gauges)) each.reset();
      for (const { id, spec } of configuration.current().collections.values()) {
        const label = { collection: id };
        const total = totals.get(id);
        const { maxBackupsCount, maxCollectionSize } = limitsOf(spec);
        gauges.versions.set(label, total?.count ?? 0);
        gauges.bytes.set(label, total?.bytes ?? 0);
        gauges.quotaVersions.set(label, maxBackupsCount);
        gauges.quotaBytes.set(label, maxCollectionSize);
        gauges.overdue.set(label, isOverdue(spec, total?.newestAt, now) ? 1 : 0);
        if (!total) continue;
        gauges.newestTime.set(label, total.newestAt / 1000);
        gauges.newestAge.set(label, (now - total.newestAt) / 1000);
        gauges.newestBytes.set(label, total.newestSize);
      }
    };
  }
}
