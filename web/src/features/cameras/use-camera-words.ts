/** State of a camera in the user's words. */
import { useI18n } from 'vue-i18n';
import { useNow } from '#app/clock.ts';
import type { Camera } from '#features/cameras/camera-types.ts';
import { clockTime } from '#ui/time-format.ts';

export type StateTone = 'neutral' | 'accent' | 'ok' | 'warn' | 'danger';

export function useCameraWords() {
  const { t, locale } = useI18n();
  const now = useNow();
  const clock = (at: string): string => clockTime(at, locale.value, now.value);

  function state(camera: Camera): { tone: StateTone; text: string } {
    const { connection, recording, since } = camera.state;
    if (!camera.enabled || connection === 'disabled')
      return { tone: 'neutral', text: t('cameras.state.disabled') };
    if (connection === 'unauthorised') return { tone: 'danger', text: t('cameras.state.unauthorised') };
    if (recording === 'lost')
      return {
        tone: 'danger',
        text: since ? t('cameras.state.lostSince', { time: clock(since) }) : t('cameras.state.lost'),
      };
    if (connection === 'offline') return { tone: 'danger', text: t('cameras.state.offline') };
    if (connection === 'connecting') return { tone: 'warn', text: t('cameras.state.connecting') };
    if (recording === 'recording') return { tone: 'ok', text: t('cameras.state.recording') };
    return { tone: 'ok', text: t('cameras.state.online') };
  }

  /** What stands over the last picture when there is none of now. */
  function silence(camera: Camera): string {
    const { connection, last_frame_at: last, problem } = camera.state;
    if (connection === 'disabled' || !camera.enabled)
      return t('cameras.silent.disabled', { name: camera.name });
    if (connection === 'unauthorised') return t('cameras.silent.unauthorised', { name: camera.name });
    if (connection === 'offline' && last)
      return t('cameras.silent.since', { name: camera.name, time: clock(last) });
    if (connection === 'offline') return problem ?? t('cameras.silent.offline', { name: camera.name });
    return t('cameras.silent.connecting');
  }

  const bitrate = (bps: number): string =>
    new Intl.NumberFormat(locale.value, { maximumFractionDigits: bps < 1_000_000 ? 0 : 1 }).format(
      bps < 1_000_000 ? bps / 1_000 : bps / 1_000_000,
    ) + (bps < 1_000_000 ? ' kbit/s' : ' Mbit/s');

  return { state, silence, bitrate, clock };
}
