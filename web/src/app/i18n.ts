/**
 * Texts of the console. Each feature brings `messages.en.ts` and `messages.de.ts`; a locale's file is fetched with the route
 * that needs it. German is typed after English, so that a missing text fails the type check.
 */
import { createI18n } from 'vue-i18n';

export type Locale = 'en' | 'de';
export const locales: readonly Locale[] = ['en', 'de'];
type MessageFile = { messages: Record<string, unknown> };

const files = import.meta.glob<MessageFile>(['../features/*/messages.??.ts', './messages.??.ts']);
const storageKey = 'siphera_locale';
const loaded = new Set<string>();

export const i18n = createI18n({
  legacy: false,
  locale: initialLocale(),
  fallbackLocale: 'en',
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
});

export const currentLocale = (): Locale => i18n.global.locale.value as Locale;

/** Loads the texts of a feature (or `app`) in the current language. */
export async function loadMessages(features: readonly string[]): Promise<void> {
  const locale = currentLocale();
  await Promise.all(features.map((feature) => loadFeature(feature, locale)));
}

/** Changes the language; what is on the screen is loaded in it first. */
export async function setLocale(locale: Locale): Promise<void> {
  const features = [...new Set([...loaded].map((key) => key.slice(key.indexOf(':') + 1)))];
  await Promise.all(features.map((feature) => loadFeature(feature, locale)));
  i18n.global.locale.value = locale;
  document.documentElement.lang = locale;
  localStorage.setItem(storageKey, locale);
}

async function loadFeature(feature: string, locale: Locale): Promise<void> {
  const key = `${locale}:${feature}`;
  if (loaded.has(key)) return;
  const path = feature === 'app' ? `./messages.${locale}.ts` : `../features/${feature}/messages.${locale}.ts`;
  const file = files[path];
  if (!file) throw new Error(`No messages at ${path}`);
  const { messages } = await file();
  i18n.global.mergeLocaleMessage(locale, messages);
  loaded.add(key);
}

function initialLocale(): Locale {
  const stored = localStorage.getItem(storageKey);
  const wanted = stored ?? navigator.language.slice(0, 2);
  const locale = locales.find((candidate) => candidate === wanted) ?? 'en';
  document.documentElement.lang = locale;
  return locale;
}
