/** Verification of a person or a device, as one dialog: begun here, or asked for from elsewhere. */
import type { TalkApi } from '@siphera/talk';
import { computed, ref } from 'vue';
import { useTalk } from '#features/talk/talk.store.ts';
import { useTalkAct } from '#features/talk/use-talk-act.ts';

export type VerificationAct = Parameters<TalkApi['verificationAct']>[1];

export function useVerify() {
  const talk = useTalk();
  const { run, tell } = useTalkAct();
  const flowId = ref<string>();
  const flow = computed(() => talk.verifications.find((one) => one.flowId === flowId.value));

  return {
    flow,
    begin: async (userId: string, deviceId?: string): Promise<void> => {
      try {
        flowId.value = await talk.api.verify(userId, deviceId);
      } catch (thrown) {
        tell(thrown);
      }
    },
    /** One that somebody else began. */
    take: (id: string): void => {
      flowId.value = id;
    },
    act: async (act: VerificationAct): Promise<void> => {
      const id = flowId.value;
      if (id !== undefined) await run(() => talk.api.verificationAct(id, act));
    },
    /** Closed before its end is a no. */
    close: (): void => {
      const open = flow.value;
      flowId.value = undefined;
      if (!open || open.phase === 'done' || open.phase === 'cancelled') return;
      talk.api.verificationAct(open.flowId, 'cancel').catch(() => undefined);
    },
  };
}
