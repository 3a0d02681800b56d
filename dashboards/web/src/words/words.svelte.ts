/** The present language, and the texts in it. No component carries a text of its own. */
import { en } from './en.ts';
import { zh, type Words } from './zh.ts';

export type Language = 'zh' | 'en';

const TABLES: Record<Language, Words> = { zh, en };
const KEY = 'linli.language';

function first(): Language {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(KEY);
  return asked === 'en' ? 'en' : 'zh';
}

class Texts {
  language = $state<Language>(first());

  get t(): Words {
    return TABLES[this.language];
  }

  /** The locale for dates: 24 hours in both. */
  get locale(): string {
    return this.language === 'zh' ? 'zh-CN' : 'en-GB';
  }

  toggle(): void {
    this.language = this.language === 'zh' ? 'en' : 'zh';
    localStorage.setItem(KEY, this.language);
  }

  /** What a code is called, or the code itself. */
  named(table: Record<string, string>, code: string): string {
    return table[code] ?? code;
  }

  pick(message: { zh: string; en: string }): string {
    return message[this.language];
  }
}

export const words = new Texts();
