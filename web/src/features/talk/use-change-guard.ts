/** Change of guard on a shared desk: the store is closed, the session ends, the next one signs in. No secret is typed. */
import { useI18n } from 'vue-i18n';
import { useSession } from '#app/session.store.ts';
import { useTalk } from '#features/talk/talk.store.ts';
import { confirm } from '#ui/confirm.ts';

export function useChangeGuard() {
  const { t } = useI18n();
  const session = useSession();
  const talk = useTalk();

  return async (): Promise<void> => {
    const { waiting } = talk.connection;
    const text = t('talk.changeGuard.text');
    const yes = await confirm({
      title: t('talk.changeGuard.title'),
      text: waiting > 0 ? `${text} ${t('talk.changeGuard.waiting', { n: waiting })}` : text,
      action: t('talk.duty.changeGuard'),
    });
    if (!yes) return;
    // Keys leave the memory first; if the box is away, the session still ends here.
    await talk.stop();
    await session.logout().catch(() => undefined);
  };
}
