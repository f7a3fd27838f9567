/** The emergency call's world: this browser. */
import { boxTime } from '#app/clock.ts';
import { CallTones } from '#features/calls/call-tones.ts';
import { caller } from '#features/emergency-line/caller.ts';
import { EmergencyCall } from '#features/emergency-line/emergency-call.ts';
import { emergencyInfo } from '#features/emergency-line/emergency-info.ts';
import type { MakeAgent } from '#features/phone/agent/agent-types.ts';
import { Loudspeaker, openMicrophone, openSilence, stopStream } from '#features/phone/agent/microphone.ts';

/** Fetched ahead when the console has nothing else to do, so that it is there when the box is not. */
export const loadAgent = async (): Promise<MakeAgent> =>
  (await import('#features/phone/agent/sip-agent.ts')).makeSipAgent;

export function openEmergencyCall(makeAgent: () => Promise<MakeAgent> = loadAgent): EmergencyCall {
  const tones = new CallTones();
  const call = new EmergencyCall(
    {
      makeAgent,
      now: boxTime,
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      microphone: openMicrophone,
      silence: openSilence,
      letGo: stopStream,
      speaker: new Loudspeaker(),
      sound: (kind) => (kind === 'none' ? tones.ring(false) : tones[kind](true)),
    },
    {
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/sip`,
      domain: emergencyInfo.value.domain,
      caller: caller.value,
    },
  );
  void call.open();
  return call;
}
