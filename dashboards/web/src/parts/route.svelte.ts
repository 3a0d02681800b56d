/** The address: `/<view>`, or `/wall/<view>` for a screen on a wall without the frame. */
export interface Place { view: string; isWall: boolean }

function read(): Place {
  const parts = location.pathname.split('/').filter(Boolean);
  const isWall = parts[0] === 'wall';
  return { view: (isWall ? parts[1] : parts[0]) ?? 'overview', isWall };
}

class Route {
  place = $state<Place>(read());

  start(): void {
    addEventListener('popstate', () => (this.place = read()));
  }

  go(view: string): void {
    if (view === this.place.view) return;
    history.pushState(null, '', `${this.place.isWall ? '/wall' : ''}/${view}`);
    this.place = read();
    document.getElementById('content')?.scrollTo(0, 0);
  }
}

export const route = new Route();
