/** The softphone of this tab, put together with the browser: fetched by the tab that runs it. */
import { api } from '#api/client.ts';
import { asApiError } from '#api/problem.ts';
import { boxTime } from '#app/clock.ts';
import { CallTones } from '#features/calls/call-tones.ts';
import { isEmergencyNumber } from '#features/emergency-line/emergency-info.ts';
import { takeNotice } from '#features/emergency-line/notices.ts';
import type { MakeAgent } from './agent/agent-types.ts';
import { Loudspeaker, openMicrophone, openSilence, readDevices, stopStream } from './agent/microphone.ts';
import type { LineCall, LineView } from './line-types.ts';
import { PhoneCalls } from './phone-calls.ts';
import { PhoneRegistration } from './phone-registration.ts';
import type { RunningLine } from './phone-tabs.ts';

export type LineHooks = {
  changed(view: LineView): void;
  missed(call: LineCall): void;
  /** Tests put a made-up agent in. */
  makeAgent?: () => Promise<MakeAgent>;
};

const after = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};
const loadAgent = async (): Promise<MakeAgent> => (await import('./agent/sip-agent.ts')).makeSipAgent;

export function openLine(hooks: LineHooks): RunningLine {
  const tones = new CallTones();
  let view: LineView = { state: 'connecting', reason: '', number: '', name: '', calls: [] };
  const show = (patch: Partial<LineView>): void => {
    view = { ...view, ...patch };
    hooks.changed(view);
  };
  const calls: PhoneCalls = new PhoneCalls({
    now: boxTime,
    randomUuid: () => crypto.randomUUID(),
    after,
    microphone: openMicrophone,
    silence: openSilence,
    letGo: stopStream,
    speaker: () => {
      const loudspeaker = new Loudspeaker();
      return {
        play: (stream) => loudspeaker.play(stream),
        silence: (on) => loudspeaker.silence(on),
        stop: () => loudspeaker.stop(),
        choose: () => loudspeaker.use(readDevices().speaker),
      };
    },
    sound: (kind) => (kind === 'none' ? tones.ring(false) : tones[kind](true)),
    isEmergency: isEmergencyNumber,
    changed: () => show({ calls: calls.views }),
    missed: hooks.missed,
  });
  const registration = new PhoneRegistration(
    {
      now: boxTime,
      after,
      credentials: () => api('getSoftphone'),
      makeAgent: hooks.makeAgent ?? loadAgent,
      asError: asApiError,
    },
    {
      state: (state, reason) => show({ state, reason }),
      agent: (agent, phone) => {
        show({ number: phone?.number ?? '', name: phone?.name ?? '' });
        calls.use(agent);
      },
      incoming: (call) => calls.ring(call),
      message: (type, body) => takeNotice(type, body),
    },
  );
  registration.start();
  return {
    run: (command) => calls.run(command),
    stop: () => registration.stop(),
  };
}
