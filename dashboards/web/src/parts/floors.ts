/** The floors of a centre, from the ground up, site by site. */
import type { Area, Background, Centre, Room } from '../api/types.ts';
import { type Underlay, grid } from '../design/plan.ts';

export interface Floor { key: string; site: string; floor: number; hasFloors: boolean; rooms: Room[]; areas: Area[]; underlay: Underlay | null }

/** Its name holds a hash of its contents: a changed drawing is another address. */
export const underlayOf = (drawing: Background): Underlay => ({
  href: `/api/v1/centre/backgrounds/${drawing.background}`,
  box: { x: drawing.corner[0], y: drawing.corner[1], w: drawing.size[0], h: drawing.size[1] },
});

/** Rooms without an outline, if there are any on a floor, put the whole floor into a grid of `most` a row. */
export function floorsOf(centre: Centre, most: number): Floor[] {
  const sites = [...centre.sites.map((site) => ({ id: site.site as string | null, name: site.name }))];
  if (sites.length === 0 || centre.rooms.some((room) => room.site === null)) sites.push({ id: null, name: centre.name });
  return sites.flatMap((site) => {
    const here = centre.rooms.filter((room) => room.site === site.id);
    const numbers = [...new Set(here.map((room) => room.floor))].sort((a, b) => a - b);
    return numbers.map((floor) => {
      const rooms = here.filter((room) => room.floor === floor);
      const isDrawn = rooms.every((room) => room.outline.length > 0);
      const cells = grid(rooms.length, most);
      const drawing = centre.backgrounds.find((one) => one.site === site.id && one.floor === floor);
      return {
        key: `${site.id}/${floor}`, site: site.name, floor, hasFloors: numbers.length > 1,
        rooms: isDrawn ? rooms : rooms.map((room, at) => ({ ...room, outline: cells[at] ?? [] })),
        areas: isDrawn ? centre.areas.filter((area) => area.site === site.id && area.floor === floor) : [],
        underlay: isDrawn && drawing ? underlayOf(drawing) : null,
      };
    });
  });
}
