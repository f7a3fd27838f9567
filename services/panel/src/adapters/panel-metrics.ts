/** The numbers of the DC-09 receiver. */
import type { Metrics } from '@siphera/runtime';

export type PanelMetrics = ReturnType<typeof createPanelMetrics>;

export function createPanelMetrics(metrics: Metrics) {
  return {
    frames: metrics.counter('frames_total', 'Frames by verdict, reason and transport', [
      'verdict',
      'reason',
      'transport',
    ]),
    ackSeconds: metrics.histogram(
      'ack_seconds',
      'From the last byte of a frame to its ACK, commit in core included',
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 30],
    ),
    connections: metrics.gauge('connections', 'Open TCP connections of panels'),
    connectionsCut: metrics.counter('connections_cut_total', 'Connections ended by the receiver', ['reason']),
    garbageBytes: metrics.counter('garbage_bytes_total', 'Bytes that were in no frame', ['transport']),
    outbox: metrics.gauge('outbox_messages', 'Messages stored that core has not committed yet'),
    appends: metrics.counter('core_appends_total', 'Batches sent to core by outcome', ['outcome']),
    appendEvents: metrics.histogram(
      'core_append_events',
      'Events in a batch to core',
      [1, 2, 5, 10, 25, 50, 100, 250, 500],
    ),
    supervisionLost: metrics.gauge('supervision_lost', 'Supervised accounts that are silent'),
    storeFailures: metrics.counter('store_failures_total', 'Batches of frames that could not be stored'),
  };
}
