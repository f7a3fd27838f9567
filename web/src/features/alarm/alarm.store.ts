/**
 * Rings while an incident waits. What must stay true: whether sound works is known and shown, muting ends by itself and is
 * shown, the window's title and icon count what waits. One tab of a browser rings: the one whose sound works.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { boxTime, useNow } from '#app/clock.ts';
import { i18n } from '#app/i18n.ts';
import { useSession } from '#app/session.store.ts';
import { useIncidents } from '#features/incidents/incidents.store.ts';
import { AlarmPlayer } from './alarm-player.ts';
import {
  muteHolds,
  planAlarm,
  samePlan,
  severityRank,
  type AlarmPlan,
  type Mute,
  type Unacknowledged,
} from './alarm-policy.ts';
import { deskTeller } from './desk.ts';
import { holdRinging } from './ringing-lock.ts';
import { showBadge } from './window-badge.ts';

export type SoundState = 'unknown' | 'ready' | 'blocked' | 'unsupported';
const testedKey = 'siphera_sound_tested';

export const useAlarm = defineStore('alarm', () => {
  const session = useSession();
  const incidents = useIncidents();
  const now = useNow();
  const player = new AlarmPlayer();
  const sound = ref<SoundState>('unknown');
  const tested = ref(sessionStorage.getItem(testedKey) !== null);
  const mute = shallowRef<Mute>();
  const rings = ref(false);
  let started = false;
  let playing: AlarmPlan = { kind: 'silent' };

  /** Only who may act is called by sound; a viewer's wall stays quiet. */
  const wanted = computed(() => session.signedIn && session.may('incident.act'));
  const waiting = computed<Unacknowledged[]>(() =>
    incidents.unacknowledged.map((incident) => ({
      id: incident.id,
      severity: incident.severity,
      openedAtMs: Date.parse(incident.opened_at),
    })),
  );
  const muted = computed(() => muteHolds(mute.value, waiting.value, now.value));
  const plan = computed<AlarmPlan>(() =>
    wanted.value ? planAlarm(waiting.value, mute.value, now.value) : { kind: 'silent' },
  );

  function drive(): void {
    const target: AlarmPlan = rings.value && sound.value === 'ready' ? plan.value : { kind: 'silent' };
    if (samePlan(target, playing)) {
      player.keepUp(target);
      return;
    }
    playing = target;
    player.start(target);
  }

  function noteSound(): void {
    sound.value = player.audible ? 'ready' : 'blocked';
    if (player.audible) holdRinging((held) => (rings.value = held));
  }

  /** Tries to get sound; a click or key press makes it work. */
  async function unlock(): Promise<boolean> {
    if (!('AudioContext' in window)) {
      sound.value = 'unsupported';
      return false;
    }
    const first = sound.value === 'unknown';
    await player.unlock();
    if (first) player.onChange(noteSound);
    noteSound();
    return player.audible;
  }

  /** Called once the shell is on the screen. */
  function start(): void {
    void incidents.ensure();
    if (started) return;
    started = true;
    void unlock();
    for (const type of ['pointerdown', 'keydown']) {
      window.addEventListener(type, () => {
        if (sound.value === 'blocked') void unlock();
      });
    }
    watch([plan, sound, rings, now], drive, { immediate: true, flush: 'sync' });
    watch([() => incidents.unacknowledged, i18n.global.locale], badge, { immediate: true });
    watch(waiting, deskTeller(), { immediate: true });
  }

  function badge(): void {
    const list = [...incidents.unacknowledged].sort(
      (a, b) => severityRank(b.severity) - severityRank(a.severity),
    );
    showBadge(list.length, list[0]?.title);
  }

  return {
    sound,
    tested,
    wanted,
    muted,
    waiting,
    mutedUntil: computed(() => (muted.value ? mute.value?.untilMs : undefined)),
    start,
    unlock,
    playTest: async (): Promise<boolean> => {
      const audible = await unlock();
      if (audible) player.once('critical', 0.7);
      return audible;
    },
    confirmTest: (): void => {
      tested.value = true;
      sessionStorage.setItem(testedKey, '1');
    },
    muteFor: (ms: number): void => {
      mute.value = { untilMs: boxTime() + ms, known: new Set(waiting.value.map((incident) => incident.id)) };
    },
    unmute: (): void => {
      mute.value = undefined;
    },
  };
});
