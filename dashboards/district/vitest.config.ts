// Unit tests of the district's screens: rules without a browser.
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [svelte()],
  resolve: { alias: { web: resolve(import.meta.dirname, '../web/src') } },
  test: { include: ['tests/unit/*.test.ts'], environment: 'node' },
});
