/** The address: `/<view>`, `/<view>/<id>`. Links to views stay in the page. */
export interface Place { view: string; id: string }

function read(): Place {
  const [view = '', id = ''] = location.pathname.split('/').filter(Boolean);
  return { view: view || 'map', id: decodeURIComponent(id) };
}

class Route {
  place = $state<Place>(read());

  start(): void {
    addEventListener('popstate', () => (this.place = read()));
    document.addEventListener('click', (event) => {
      const link = (event.target as Element | null)?.closest?.('a');
      const isOurs = link && !link.target && !link.hasAttribute('download') && link.origin === location.origin && !link.pathname.startsWith('/api/') && !link.hash;
      if (!isOurs || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(link.pathname);
    });
  }

  go(to: string): void {
    if (to !== location.pathname) history.pushState(null, '', to);
    this.place = read();
    document.getElementById('content')?.scrollTo(0, 0);
  }
}

export const route = new Route();
