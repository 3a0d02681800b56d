/** Starts the page. */
import './design/tokens.css';
import './design/base.css';
import { mount } from 'svelte';
import App from './app/App.svelte';
import { loadAll } from './app/views.ts';
import { route } from './parts/route.svelte.ts';
import { touched } from './parts/touched.svelte.ts';
import { attendedBy } from './api/client.ts';
import { live } from './api/live.svelte.ts';
import { session } from './api/session.svelte.ts';

route.start();
touched.start(() => { if (session.isIn) void session.check(); });
attendedBy(() => touched.isJustNow);
// Another person sees other things: the stream belongs to the log-in that opened it.
session.whenChanged(() => (session.may('view') ? live.restart() : live.stop()));
live.whenBroken(() => void session.check());
void session.start();

const target = document.getElementById('app');
if (target) mount(App, { target });
// After the first view.
addEventListener('load', () => setTimeout(loadAll, 1_000));
