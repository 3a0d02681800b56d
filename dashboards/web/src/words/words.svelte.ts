/** The texts of the gateway's screens. No component carries a text of its own. */
// Side by side they are smaller when compressed.
import './shared/en.ts';
import './shared/zh.ts';
import { en } from './en.ts';
import { Texts } from './texts.svelte.ts';
import { zh, type Words } from './zh.ts';

export type { Language } from './texts.svelte.ts';

export const words = new Texts<Words>({ zh, en });
