/** Prometheus metrics of one process, and the small listener that serves them with a liveness answer. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestListener } from 'node:http';

export type Metrics = {
  registry: Registry;
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** Buckets in seconds. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labels?: readonly L[],
  ): Histogram<L>;
};

/** Names become `siphera_<service>_<name>`. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const full = (name: string): string => `siphera_${service.replaceAll('-', '_')}_${name}`;
  return {
    registry,
    counter: (name, help, labels = []) =>
      new Counter({ name: full(name), help, labelNames: [...labels], registers: [registry] }),
    gauge: (name, help, labels = []) =>
      new Gauge({ name: full(name), help, labelNames: [...labels], registers: [registry] }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name: full(name), help, buckets, labelNames: [...labels], registers: [registry] }),
  };
}

/** GET /metrics and GET /healthz; `healthy` says whether the process does its work. */
export function metricsHandler(metrics: Metrics, healthy: () => boolean | Promise<boolean>): RequestListener {
  const answer = async (url: string | undefined): Promise<{ status: number; type: string; body: string }> => {
    if (url === '/metrics')
      return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
    if (url === '/healthz') {
      const ok = await healthy();
      return { status: ok ? 200 : 503, type: 'text/plain', body: ok ? 'ok\n' : 'not healthy\n' };
    }
    return { status: 404, type: 'text/plain', body: 'not found\n' };
  };
  return (request, response) => {
    answer(request.url).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(500).end(),
    );
  };
}
