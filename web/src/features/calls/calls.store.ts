/** Calls of this tab: joins the call machine with talk, the browser's media and the other tabs of this device. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { CallContent, CallRecord, TalkApi, TalkChange } from '@siphera/talk';
import { api } from '#api/client.ts';
import { boxTime } from '#app/clock.ts';
import { CallRunner, type CallView } from '#features/calls/call-effects.ts';
import { CallTones } from '#features/calls/call-tones.ts';

const choiceKey = 'siphera_call_devices';
/** The end of a call is on the screen for this long, where nobody closes it. */
const shownMs = 6_000;
/** A timeline line of a call is tried this often; the call itself is in the history whatever happens. */
const incidentTries = 5;
const incidentRetryMs = 4_000;

type Choice = { microphone: string | null; camera: string | null; speaker: string | null };
type TabWord = { taken: string };

export type CallGround = {
  api: TalkApi;
  me: string;
  speaksForDevice(): boolean;
  nameOf(userId: string): string;
};

export const useCalls = defineStore('calls', () => {
  const view = shallowRef<CallView>();
  const choice = ref<Choice>(readChoice());
  const remoteHasVideo = ref(false);
  /** Talk is open, so that somebody can be called. */
  const available = ref(false);
  const tones = new CallTones();
  let ground: CallGround | undefined;
  let runner: CallRunner | undefined;
  let tabs: BroadcastChannel | undefined;
  let stop: (() => void) | undefined;
  let endWork: (() => void) | undefined;
  let heard: Promise<void> = Promise.resolve();
  let dismissal: ReturnType<typeof setTimeout> | undefined;

  /** From sign-in on, once talk is open. */
  function connect(next: CallGround): void {
    disconnect();
    ground = next;
    tabs = new BroadcastChannel(`siphera-calls:${next.me}`);
    tabs.onmessage = ({ data }: MessageEvent<TabWord>) => {
      runner?.step({ on: 'taken_by_tab', id: data.taken });
    };
    runner = new CallRunner(portOf(next), changed);
    runner.choice = choice.value;
    available.value = true;
    stop = next.api.subscribe((change) => {
      if (change.what === 'call') hear(change);
    });
    window.addEventListener('pagehide', leave);
  }
  function disconnect(): void {
    leave();
    stop?.();
    tabs?.close();
    window.removeEventListener('pagehide', leave);
    runner = undefined;
    available.value = false;
    view.value = undefined;
  }
  /** A page that goes takes its call with it: the other side is told, if there is still time. */
  function leave(): void {
    runner?.step({ on: 'hang_up', at: boxTime() });
  }

  function portOf({ api: talk, me, speaksForDevice }: CallGround) {
    return {
      me,
      now: boxTime,
      speaksForDevice,
      send: (
        userId: string,
        deviceId: string | null,
        content: Parameters<TalkApi['sendCall']>[2],
        wake: boolean,
      ) => talk.sendCall(userId, deviceId, content, { wake }),
      devicesOf: async (userId: string) =>
        (await talk.devices(userId)).devices.map(({ deviceId }) => deviceId),
      record: async (peerId: string, record: CallRecord) => {
        await talk.recordCall(peerId, record);
        if (record.incidentId !== null && record.direction === 'out') void toIncident(peerId, record);
      },
      iceServers: () => talk.turn(),
      ring: (on: boolean) => tones.ring(on),
      ringback: (on: boolean) => tones.ringback(on),
    };
  }

  function changed(next: CallView): void {
    const was = view.value?.state.call?.phase;
    view.value = next;
    const { call } = next.state;
    const tracks = next.remote?.getVideoTracks() ?? [];
    remoteHasVideo.value = tracks.some((track) => !track.muted);
    for (const track of tracks) track.onmute = track.onunmute = () => changed(view.value ?? next);
    if (call?.phase === was) return;
    const isBusy =
      call !== null && ['calling', 'connecting', 'connected', 'reconnecting'].includes(call.phase);
    holdLine(isBusy);
    clearTimeout(dismissal);
    if (call?.phase === 'ended') dismissal = setTimeout(dismiss, shownMs);
  }

  /** A lock that is held while one talks: it ends with its tab, however that ends, so that no other is busy for ever. */
  function holdLine(isBusy: boolean): void {
    if (!isBusy) {
      endWork?.();
      endWork = undefined;
    } else if (!endWork && ground) {
      const talking = Promise.withResolvers<void>();
      endWork = talking.resolve;
      void navigator.locks.request(lineLock(ground.me), () => talking.promise);
    }
  }
  async function isOtherTabBusy(): Promise<boolean> {
    if (endWork || !ground) return false;
    const { held = [] } = await navigator.locks.query();
    const name = lineLock(ground.me);
    return held.some((lock) => lock.name === name);
  }

  function hear(change: Extract<TalkChange, { what: 'call' }>): void {
    // In their order, although the first of a call waits for the answer of the locks.
    heard = heard.then(() => take(change)).catch(() => undefined);
  }
  async function take(change: Extract<TalkChange, { what: 'call' }>): Promise<void> {
    const { userId, deviceId, content } = change;
    if (content.act === 'invite' && ground?.speaksForDevice() && (await isOtherTabBusy())) {
      const end = { t: 'call', act: 'end', call_id: content.call_id, reason: 'busy' } as const;
      await ground.api.sendCall(userId, deviceId, end);
      await ground.api.recordCall(userId, missed(content, boxTime()));
      return;
    }
    const at = boxTime();
    runner?.step({
      on: 'message',
      userId,
      deviceId,
      content,
      at,
      ageMs: Math.max(0, at - change.receivedAt),
    });
  }

  function dial(peerId: string, media: 'voice' | 'video', incidentId: string | null = null): void {
    runner?.step({ on: 'dial', id: crypto.randomUUID(), peerId, media, incidentId, at: boxTime() });
  }
  function accept(): void {
    const id = view.value?.state.call?.id;
    if (id !== undefined) tabs?.postMessage({ taken: id } satisfies TabWord);
    runner?.step({ on: 'accept', at: boxTime() });
  }
  function dismiss(): void {
    runner?.step({ on: 'dismiss' });
  }
  async function choose(patch: Partial<Choice>): Promise<void> {
    choice.value = { ...choice.value, ...patch };
    localStorage.setItem(choiceKey, JSON.stringify(choice.value));
    if (!runner) return;
    runner.choice = choice.value;
    if (!('speaker' in patch)) await runner.choose(choice.value);
  }

  return {
    view,
    choice,
    remoteHasVideo,
    available,
    inCall: computed(() => {
      const phase = view.value?.state.call?.phase;
      return phase !== undefined && phase !== 'ended';
    }),
    connect,
    disconnect,
    dial,
    accept,
    hangUp: () => runner?.step({ on: 'hang_up', at: boxTime() }),
    dismiss,
    toggleMuted: () => runner?.setMuted(!runner.view.muted),
    toggleVideo: () => runner?.setVideo(!runner.view.video),
    choose,
    nameOf: (userId: string) => ground?.nameOf(userId) ?? '',
  };
});

const lineLock = (me: string): string => `siphera-call:${me}`;

type Invite = Extract<CallContent, { act: 'invite' }>;
const missed = ({ call_id, media, incident_id }: Invite, startedAt: number): CallRecord => ({
  callId: call_id,
  media,
  direction: 'in',
  outcome: 'missed',
  durationMs: 0,
  startedAt,
  incidentId: incident_id ?? null,
});

/** The line on the incident's timeline: who with whom and how long, nothing of what was said. */
async function toIncident(peerId: string, record: CallRecord): Promise<void> {
  if (record.incidentId === null) return;
  for (let tries = 0; tries < incidentTries; tries += 1) {
    try {
      await api('addIncidentCall', {
        params: { id: record.incidentId },
        body: {
          call_id: record.callId,
          with_user_ids: [peerId],
          media: record.media,
          outcome: record.outcome,
          started_at: new Date(record.startedAt).toISOString(),
          duration_ms: Math.round(record.durationMs),
        },
      });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, incidentRetryMs));
    }
  }
}

function readChoice(): Choice {
  const none: Choice = { microphone: null, camera: null, speaker: null };
  try {
    const kept = JSON.parse(localStorage.getItem(choiceKey) ?? '{}') as Partial<
      Record<keyof Choice, unknown>
    >;
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    return { microphone: text(kept.microphone), camera: text(kept.camera), speaker: text(kept.speaker) };
  } catch {
    return none;
  }
}
