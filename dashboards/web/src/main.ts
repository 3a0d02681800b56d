/** Starts the page. */
import './design/tokens.css';
import './design/base.css';
import { mount } from 'svelte';
import App from './app/App.svelte';
import { route } from './parts/route.svelte.ts';
import { touched } from './parts/touched.svelte.ts';
import { live } from './api/live.svelte.ts';
import { session } from './api/session.svelte.ts';

route.start();
touched.start();
session.whenChanged(() => void live.resync());
void session.start().then(() => live.start());

const target = document.getElementById('app');
if (target) mount(App, { target });
