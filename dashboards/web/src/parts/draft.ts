/** What was typed and not sent yet: it survives a lock, a lost connection and a reload of the tab (law 6). */
const PREFIX = 'linli.draft.';

export const draft = {
  read: (name: string): string => sessionStorage.getItem(PREFIX + name) ?? '',
  keep(name: string, text: string): void {
    if (text) sessionStorage.setItem(PREFIX + name, text);
    else sessionStorage.removeItem(PREFIX + name);
  },
};
