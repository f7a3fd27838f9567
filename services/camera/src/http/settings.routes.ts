/** How footage is handled on this box. */
import type { Sqlite } from '@siphera/runtime';
import type { CoreOutbox } from '../ground.ts';
import type { CameraHandlers } from '../part.ts';
import type { SettingsStore } from '../store/settings.store.ts';
import { requireOnOrg } from './access.ts';
import { auditOf } from './audit.ts';

export type SettingsParts = { db: Sqlite; settings: SettingsStore; outbox: CoreOutbox };

export const settingsHandlers = ({
  db,
  settings,
  outbox,
}: SettingsParts): Pick<CameraHandlers, 'getFootageSettings' | 'putFootageSettings'> => ({
  // Whoever may watch somewhere: the page has to know whether it must ask for a reason.
  getFootageSettings: async () => settings.get(),

  putFootageSettings: async ({ caller, body }) => {
    requireOnOrg(caller, 'camera.manage');
    const change = db.transaction(() => {
      settings.put(body);
      auditOf(outbox, caller, { action: 'camera_settings.update', target: 'camera_settings', detail: body });
    });
    change.immediate();
    return settings.get();
  },
});
