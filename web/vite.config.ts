/**
 * Build and dev server of the console. What must stay true: nothing is inlined (the CSP is `default-src 'self'`), and the
 * dev server talks to a real box (`BOX_URL`), never to a fake.
 */
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { serviceWorker } from './service-worker-plugin.ts';

const boxUrl = process.env['BOX_URL'] ?? 'https://localhost';

export default defineConfig({
  plugins: [vue(), serviceWorker(import.meta.dirname)],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    // These do nothing when they are loaded: a page that needs a type guard or the call machine fetches that alone, not the engine.
    rolldownOptions: {
      treeshake: { moduleSideEffects: (id) => !/\/services\/shared\/(talk|contract)\/src\//.test(id) },
    },
  },
  // It finds its wasm beside itself, and bundled ahead for development it would look beside the bundle.
  optimizeDeps: { exclude: ['@matrix-org/matrix-sdk-crypto-wasm'] },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    // The box's own CA is trusted through NODE_EXTRA_CA_CERTS; certificate errors are never ignored.
    proxy: {
      '/api/': { target: boxUrl, changeOrigin: true },
      '/socket.io': { target: boxUrl, changeOrigin: true, ws: true },
      '/emergency.json': { target: boxUrl, changeOrigin: true },
    },
  },
});
