/** The texts of the district's screens. No component carries a text of its own. */
import { Texts } from 'web/words/texts.svelte.ts';
import { en } from './en.ts';
import { zh, type Words } from './zh.ts';

export const words = new Texts<Words>({ zh, en });
