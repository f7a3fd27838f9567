/** Short messages at the corner. Errors stay until closed; the rest goes by itself. */
import { shallowRef } from 'vue';

export type ToastTone = 'ok' | 'info' | 'warn' | 'danger';
export type Toast = { id: number; tone: ToastTone; title: string; text?: string | undefined };

const shownMs = 5_000;
/** More than this would hide the page; the oldest goes first. */
const toastsMax = 4;
let lastId = 0;

/** Shown by `ToastHost`. */
export const toasts = shallowRef<readonly Toast[]>([]);

export function toast(tone: ToastTone, title: string, text?: string): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value, { id, tone, title, text }].slice(-toastsMax);
  if (tone !== 'danger') setTimeout(() => dismissToast(id), shownMs);
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((entry) => entry.id !== id);
}
