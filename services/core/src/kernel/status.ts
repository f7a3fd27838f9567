/** What the HTTP thread knows of the rest of the box: the writer's figures and the services' heartbeats. */
import type { InternalHeartbeat } from '@siphera/contract';
import type { Metrics } from '@siphera/runtime';
import type { IngestFigures, WriterNotice } from './messages.ts';

export type HeardService = InternalHeartbeat & { heard_ms: number };

export class Status {
  readonly startedMs: number;
  readonly #services = new Map<string, HeardService>();
  readonly #gauges;
  #ingest: IngestFigures = { per_second: 0, committed: 0, duplicates: 0, dead_letters: 0, queue: 0 };
  #failure: string | undefined;
  #broker: 'connected' | 'disconnected' = 'disconnected';

  constructor(metrics: Metrics, startedMs: number) {
    this.startedMs = startedMs;
    this.#gauges = {
      committed: metrics.gauge('events_committed', 'Events made durable since the start'),
      duplicates: metrics.gauge('events_duplicate', 'Events that had come before, since the start'),
      deadLetters: metrics.gauge('events_dead_lettered', 'Events that could not be taken, since the start'),
      queue: metrics.gauge('writer_queue', 'Writes waiting for the next commit'),
      broker: metrics.gauge('broker_connected', '1 while the MQTT broker is connected'),
      storage: metrics.gauge('storage_failing', '1 while commits fail, e.g. on a full disk'),
    };
  }

  update(notice: Extract<WriterNotice, { kind: 'figures' }>): void {
    this.#ingest = notice.ingest;
    this.#failure = notice.failure;
    this.#broker = notice.broker;
    this.#gauges.committed.set(notice.ingest.committed);
    this.#gauges.duplicates.set(notice.ingest.duplicates);
    this.#gauges.deadLetters.set(notice.ingest.dead_letters);
    this.#gauges.queue.set(notice.ingest.queue);
    this.#gauges.broker.set(notice.broker === 'connected' ? 1 : 0);
    this.#gauges.storage.set(notice.failure === undefined ? 0 : 1);
  }

  hear(heartbeat: InternalHeartbeat, nowMs: number): void {
    this.#services.set(heartbeat.service, { ...heartbeat, heard_ms: nowMs });
  }

  services(): HeardService[] {
    return [...this.#services.values()];
  }

  ingest(): IngestFigures {
    return this.#ingest;
  }

  failure(): string | undefined {
    return this.#failure;
  }

  broker(): 'connected' | 'disconnected' {
    return this.#broker;
  }

  /** Core works as long as commits go through; a broker that is away is the health page's matter, not a reason to restart. */
  healthy(): boolean {
    return this.#failure === undefined;
  }
}
