/** Puts the texts where the page asks for them. */
import { textsFor, type TextKey } from './texts.shared.ts';

const texts = textsFor(navigator.language);

export const text = (key: TextKey): string => texts[key];

export function fillTexts(): void {
  document.documentElement.lang = navigator.language.slice(0, 2);
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]'))
    element.textContent = text(element.dataset['text'] as TextKey);
}

/** The element with this id. @throws Error when the page has none: page and script belong together. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${id}`);
  return element;
}
