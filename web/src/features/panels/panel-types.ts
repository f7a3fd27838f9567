/** Things of the panel's part of the API, by the names the pages use. */
import type { Item } from '#api/client.ts';

export type PanelAccount = Item<'listPanelAccounts'>;
export type ZoneRow = Item<'listZones'>;
export type PanelFrame = Item<'listFrames'>;
