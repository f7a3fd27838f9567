/** The dialogs of incidents: not in the first load of the board, fetched while it idles, there when a key is pressed. */
import { defineAsyncComponent, type Component } from 'vue';

const load = {
  assign: () => import('./AssignDialog.vue'),
  create: () => import('./CreateIncidentDialog.vue'),
  keys: () => import('./KeyboardHelp.vue'),
  reason: () => import('./ReasonDialog.vue'),
  resolve: () => import('./ResolveDialog.vue'),
};
/** The board and the live line come first. */
const warmAfterMs = 1_500;

export const AssignDialog: Component = defineAsyncComponent(load.assign);
export const CreateIncidentDialog: Component = defineAsyncComponent(load.create);
export const KeyboardHelp: Component = defineAsyncComponent(load.keys);
export const ReasonDialog: Component = defineAsyncComponent(load.reason);
export const ResolveDialog: Component = defineAsyncComponent(load.resolve);

/** Fetches the dialogs ahead of need. A failure is told when one is opened. */
export function warmDialogs(): void {
  setTimeout(() => void Promise.allSettled(Object.values(load).map((one) => one())), warmAfterMs);
}
