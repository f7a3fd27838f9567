/**
 * Playback of several cameras on one clock: session (who looks, and why), players, skipping of gaps. The page draws what this
 * holds.
 */
import { computed, onBeforeUnmount, ref, shallowRef } from 'vue';
import { api, apiStream } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';
import { boxTime, monotonic } from '#app/clock.ts';
import { canPlay } from '#features/cameras/player/media-sink.ts';
import { PlaybackClock } from '#features/cameras/player/playback-clock.ts';
import { PlaybackPlayer, type PlaybackState } from '#features/cameras/player/playback-player.ts';
import { nextFootage, type PlannedSegment, type Span } from '#features/cameras/player/segment-plan.ts';

export type View = { state: PlaybackState; transcoded: boolean };
export const speeds = [0.25, 0.5, 1, 2, 4, 8] as const;

const tickMs = 80;
/** What is newest is not played: it is still being written, listed and fetched. */
const nowMarginMs = 6_000;

export function usePlayback(at: number) {
  const clock = new PlaybackClock(monotonic, at);
  const position = ref(at);
  const playing = ref(false);
  const rate = ref(1);
  const waiting = ref(false);
  const skipped = ref<Span>();
  const views = shallowRef(new Map<string, View>());
  const error = shallowRef<ApiError>();
  const session = ref<string>();
  const players = new Map<string, PlaybackPlayer>();
  let spans: Span[][] = [];
  let grounds = { reason: '', incident: undefined as string | undefined };

  async function begin(cameraIds: string[], reason: string, incident: string | undefined): Promise<boolean> {
    grounds = { reason, incident };
    try {
      const body = {
        camera_ids: cameraIds,
        reason,
        ...(incident === undefined ? {} : { incident_id: incident }),
      };
      session.value = (await api('createPlaybackSession', { body })).id;
      error.value = undefined;
      return true;
    } catch (thrown) {
      error.value = asApiError(thrown);
      return false;
    }
  }

  async function list(id: string, from: number, to: number): Promise<PlannedSegment[]> {
    const iso = (ms: number): string => new Date(ms).toISOString();
    const read = () =>
      api('listSegments', {
        params: { id },
        query: { from: iso(from), to: iso(to), session: session.value ?? '' },
      });
    try {
      return (await read()).items.map(toSegment);
    } catch (thrown) {
      const { status } = asApiError(thrown).problem;
      // The session ran out while the page stood open: the same person goes on for the same reason.
      if (status !== 403 && status !== 404 && status !== 410) throw thrown;
      if (!(await begin([...players.keys()], grounds.reason, grounds.incident))) throw thrown;
      return (await read()).items.map(toSegment);
    }
  }

  function attach(id: string, video: HTMLVideoElement): void {
    detach(id);
    const player = new PlaybackPlayer({
      id,
      video,
      clock,
      list: (from, to) => list(id, from, to),
      open: (segment, { transcode, from }, signal) =>
        apiStream('getSegment', {
          params: { id, segment: segment.id },
          query: {
            session: session.value ?? '',
            transcode: transcode ? '1' : '0',
            ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
          },
          signal,
        }),
      canPlay,
      now: monotonic,
      changed: (state, transcoded) => {
        views.value = new Map(views.value).set(id, { state, transcoded });
      },
    });
    players.set(id, player);
    player.start();
  }
  function detach(id: string): void {
    players.get(id)?.stop();
    players.delete(id);
  }

  function seek(to: number): void {
    clock.seek(Math.min(to, boxTime() - nowMarginMs));
    position.value = clock.position;
    for (const player of players.values()) player.seeked();
  }
  function play(on: boolean): void {
    clock.play(on);
    playing.value = on;
  }
  function setRate(next: number): void {
    clock.setRate(next);
    rate.value = next;
  }

  /** Where no camera has footage the clock goes to the next that there is, and the page says what was left out. */
  function skipGap(): void {
    const here = clock.position;
    if (here > boxTime() - nowMarginMs) {
      clock.seek(boxTime() - nowMarginMs);
      if (rate.value > 1) setRate(1);
      return;
    }
    if (!playing.value || spans.length === 0 || views.value.size === 0) return;
    if (![...views.value.values()].every((view) => view.state === 'gap')) return;
    const next = nextFootage(spans, here);
    if (next === undefined || next - here < 300) return;
    skipped.value = { from: here, to: next };
    seek(next);
  }

  const timer = setInterval(() => {
    skipGap();
    position.value = clock.position;
    waiting.value = clock.waiting;
  }, tickMs);
  onBeforeUnmount(() => {
    clearInterval(timer);
    for (const id of [...players.keys()]) detach(id);
  });

  return {
    position,
    playing,
    rate,
    waiting,
    skipped,
    views,
    error,
    session,
    ready: computed(() => session.value !== undefined),
    begin,
    attach,
    detach,
    seek,
    play,
    setRate,
    /** Footage as the timelines tell it, for skipping what nobody recorded. */
    know: (next: Span[][]) => {
      spans = next;
    },
  };
}

const toSegment = (row: {
  id: number;
  from: string;
  to: string;
  mime: string;
  playable: boolean;
}): PlannedSegment => ({
  id: row.id,
  from: Date.parse(row.from),
  to: Date.parse(row.to),
  mime: row.mime,
  playable: row.playable,
});
