/** Starts the console: styles, store, texts, router, root component. */
import '@fontsource-variable/inter/wght.css';
import '#ui/styles/tokens.css';
import '#ui/styles/base.css';
import '#ui/styles/controls.css';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from '#app/App.vue';
import { i18n } from '#app/i18n.ts';
import { router } from '#app/router.ts';
import { followReleases } from '#app/release.ts';
import { reloadAfterUpgrade } from '#app/upgrade.ts';

reloadAfterUpgrade();
createApp(App).use(createPinia()).use(i18n).use(router).mount('#app');
void followReleases();
