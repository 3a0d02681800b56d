/** What a person chose on this screen: dark or light. Kept across reloads. */
type Theme = 'light' | 'dark';
const KEY = 'linli.theme';

function first(): Theme {
  const chosen = new URLSearchParams(location.search).get('theme') ?? localStorage.getItem(KEY);
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

class Settings {
  theme = $state<Theme>(first());

  toggleTheme(): void {
    this.theme = this.theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem(KEY, this.theme);
  }
}

export const settings = new Settings();
