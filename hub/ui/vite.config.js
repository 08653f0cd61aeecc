import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: {
    // The hub's policy is default-src 'self': nothing may become a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: { '/api': process.env.GATEPOST_URL ?? 'http://127.0.0.1:8080' },
  },
  test: { include: ['test/**/*.test.ts'], css: true },
});
