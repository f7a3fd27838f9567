/** Dark or light. `public/theme.js` applies the stored choice before the first paint; this changes it. */
import { ref, watch } from 'vue';

export type Theme = 'dark' | 'light' | 'system';
const storageKey = 'siphera_theme';
const stored = localStorage.getItem(storageKey);

export const theme = ref<Theme>(stored === 'light' || stored === 'system' ? stored : 'dark');

function apply(next: Theme): void {
  const light =
    next === 'light' || (next === 'system' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset['theme'] = light ? 'light' : 'dark';
}

watch(theme, (next) => {
  localStorage.setItem(storageKey, next);
  apply(next);
});
