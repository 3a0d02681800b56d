// Builds the screens of the district. Design, parts and packages are those of the gateway's screens: `web/…` is their
// folder, and `node_modules` a link to theirs, so that there is one Svelte.
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import web from '../web/vite.config.ts';

const here = import.meta.dirname;

export default defineConfig({
  ...web,
  root: here,
  publicDir: resolve(here, '../web/public'),
  resolve: { alias: { web: resolve(here, '../web/src') } },
  server: { proxy: { '/api': process.env.LINLI_DISTRICT_URL ?? 'http://127.0.0.1:8090' }, fs: { allow: ['..'] } },
});
