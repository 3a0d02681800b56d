/** Starts the page. */
import 'web/design/tokens.css';
import 'web/design/base.css';
import './parts/tick.css';
import { mount } from 'svelte';
import { touched } from 'web/parts/touched.svelte.ts';
import App from './app/App.svelte';
import { session } from './api/session.svelte.ts';
import { route } from './parts/route.svelte.ts';

route.start();
touched.start(() => {});
void session.start();

const target = document.getElementById('app');
if (target) mount(App, { target });
