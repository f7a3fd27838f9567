/** What signaling counts. */
import { createMetrics, type Metrics } from '@siphera/runtime';

export type SignalingMetrics = ReturnType<typeof createSignalingMetrics>;

export function createSignalingMetrics() {
  const metrics: Metrics = createMetrics('signaling');
  return {
    metrics,
    sockets: metrics.gauge('sockets', 'Open sockets'),
    views: metrics.gauge('views', 'Distinct sets of rooms, each filtered and serialised once per frame'),
    position: metrics.gauge('feed_position', "Last position of core's feed handed to the views"),
    frames: metrics.counter('frames_total', 'Frames made, each for all sockets of a view'),
    framesSent: metrics.counter('frames_sent_total', 'Frames handed to sockets'),
    entries: metrics.counter('entries_total', 'Feed entries heard from core'),
    entriesSent: metrics.counter('entries_sent_total', 'Feed entries handed to sockets'),
    refused: metrics.counter('connections_refused_total', 'Connections refused', ['reason']),
    cut: metrics.counter('sockets_cut_total', 'Sockets closed by the service', ['reason']),
    fanOut: metrics.histogram(
      'fan_out_seconds',
      'From the commit of the oldest entry of a frame to its emission',
      [0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ),
  };
}
