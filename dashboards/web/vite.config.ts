// Builds the screens. Besides each file, its compressed form is written, which the gateway serves as it is.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** Files smaller than this are not compressed: it would save nothing. */
const WORTH_BYTES = 512;

function compress(): Plugin {
  let folder = '';
  return {
    name: 'compress',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|css|svg)$/.test(name)) continue;
        const bytes = readFileSync(join(folder, name));
        if (bytes.length >= WORTH_BYTES) writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte({ preprocess: vitePreprocess() }), compress()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // A view's file says which: what one view loads is counted by name (`assets.rs`).
    rolldownOptions: { output: { chunkFileNames: (chunk) => `assets/${/views\/(\w+)\/View/.exec(chunk.facadeModuleId ?? '')?.[1]?.replace(/^/, 'view-') ?? chunk.name}-[hash].js` } },
  },
  server: { proxy: { '/api': process.env.LINLI_URL ?? 'http://127.0.0.1:8080' } },
});
