/**
 * Keyboard shortcuts of a page. They never fire while the user types or a dialog is open, so that a name with an "a" in it
 * acknowledges nothing.
 */
import { onBeforeUnmount, onMounted } from 'vue';

export type Hotkeys = Record<string, (event: KeyboardEvent) => void>;

/** The name of a key press: `a`, `A`, `?`, `Enter`, `Mod+k`. */
function hotkeyName(event: KeyboardEvent): string {
  if (event.metaKey || event.ctrlKey) return `Mod+${event.key.toLowerCase()}`;
  if (event.altKey) return `Alt+${event.key.toLowerCase()}`;
  return event.key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type);
}

/** A press that belongs to the focused control: Enter and Space on a button or link are its click. */
const belongsToControl = (event: KeyboardEvent): boolean =>
  (event.key === 'Enter' || event.key === ' ') &&
  event.target instanceof Element &&
  event.target.closest('button, a, [role="menuitem"], [role="tab"]') !== null;

export function runHotkey(keys: Hotkeys, event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing) return false;
  const name = hotkeyName(event);
  const always = name.startsWith('Mod+');
  if (!always && (isTyping(event.target) || belongsToControl(event))) return false;
  if (!always && document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]')) return false;
  const run = keys[name];
  if (!run) return false;
  event.preventDefault();
  run(event);
  return true;
}

/** Binds shortcuts while the component is on the screen. */
export function useHotkeys(keys: Hotkeys): void {
  const listen = (event: KeyboardEvent): void => {
    runHotkey(keys, event);
  };
  onMounted(() => window.addEventListener('keydown', listen));
  onBeforeUnmount(() => window.removeEventListener('keydown', listen));
}
