// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { runHotkey } from './use-hotkeys.ts';

/** Presses a key on an element and says whether the shortcut ran. */
function press(key: string, target: Element, over: KeyboardEventInit = {}): boolean {
  const run = vi.fn();
  const listen = (event: Event): void => {
    runHotkey({ a: run, Enter: run, '?': run, 'Mod+k': run }, event as KeyboardEvent);
  };
  window.addEventListener('keydown', listen);
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...over }));
  window.removeEventListener('keydown', listen);
  return run.mock.calls.length > 0;
}

describe('keyboard shortcuts', () => {
  beforeEach(() => {
    document.body.innerHTML =
      '<input id="field"><textarea id="text"></textarea><input id="box" type="checkbox"><button id="button">x</button>';
  });
  const at = (id: string): Element => document.querySelector(`#${id}`) ?? document.body;

  it('run on the page', () => {
    expect(press('a', document.body)).toBe(true);
    expect(press('?', document.body, { shiftKey: true })).toBe(true);
  });

  it('never run while somebody types', () => {
    expect(press('a', at('field'))).toBe(false);
    expect(press('a', at('text'))).toBe(false);
  });

  it('run while a checkbox has the focus, because nobody types into it', () => {
    expect(press('a', at('box'))).toBe(true);
  });

  it('leave Enter to the button that has the focus', () => {
    expect(press('Enter', at('button'))).toBe(false);
    expect(press('Enter', document.body)).toBe(true);
  });

  it('do not reach through an open dialog, but the palette opens everywhere', () => {
    document.body.insertAdjacentHTML('beforeend', '<div role="dialog"></div>');
    expect(press('a', document.body)).toBe(false);
    expect(press('k', at('field'), { ctrlKey: true })).toBe(true);
  });

  it('do not take what belongs to the browser', () => {
    expect(press('a', document.body, { ctrlKey: true })).toBe(false);
    expect(press('a', document.body, { altKey: true })).toBe(false);
  });
});
