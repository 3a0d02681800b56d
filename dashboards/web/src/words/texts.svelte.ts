/** The present language, and the texts in it: of whichever screens. */
export type Language = 'zh' | 'en';

const KEY = 'linli.language';

function first(): Language {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(KEY);
  return asked === 'en' ? 'en' : 'zh';
}

export class Texts<W> {
  readonly #tables: Record<Language, W>;
  language = $state<Language>(first());

  constructor(tables: Record<Language, W>) {
    this.#tables = tables;
  }

  get t(): W {
    return this.#tables[this.language];
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
