/** Geometry of the map: places as a plane, outlines as paths, marks that are too near as one. */

export interface Spot { x: number; y: number }
/** A place on the plane, in degrees of latitude, north up. */
export interface Mark extends Spot { id: string; rank: number }
/** Marks that share a place on the screen; `x` and `y` are those of its most urgent one. */
export interface Group<M extends Mark> extends Spot { marks: M[] }
export interface Camera { x: number; y: number; /** Pixels for a degree. */ scale: number }
export interface Size { w: number; h: number }

/** Marks nearer than this are one: each can be touched, px. */
export const APART = 54;
/** Pixels for a degree: from a continent to a street. */
export const SCALES: [number, number] = [2, 2_000_000];

/** Degrees of longitude shrink with the latitude: one factor for a district. */
export function projection(places: { lat: number; lon: number }[]): (lon: number, lat: number) => Spot {
  const lats = places.map((one) => one.lat);
  const middle = places.length ? (lats.reduce((a, b) => Math.min(a, b)) + lats.reduce((a, b) => Math.max(a, b))) / 2 : 0;
  const squeeze = Math.cos((middle * Math.PI) / 180);
  return (lon, lat) => ({ x: lon * squeeze, y: -lat });
}

/** The camera that shows all spots. */
export function fit(spots: Spot[], size: Size, room = APART): Camera {
  if (spots.length === 0) return { x: 0, y: 0, scale: SCALES[0] };
  const box = spots.reduce((b, s) => ({ l: Math.min(b.l, s.x), r: Math.max(b.r, s.x), t: Math.min(b.t, s.y), b: Math.max(b.b, s.y) }), { l: Infinity, r: -Infinity, t: Infinity, b: -Infinity });
  const wide = Math.max(1, size.w - 2 * room), high = Math.max(1, size.h - 2 * room);
  const scale = Math.min(wide / Math.max(box.r - box.l, 1e-4), high / Math.max(box.b - box.t, 1e-4));
  return { x: (box.l + box.r) / 2, y: (box.t + box.b) / 2, scale: clamp(scale) };
}

export const clamp = (scale: number) => Math.min(SCALES[1], Math.max(SCALES[0], scale));

export function onScreen(spot: Spot, camera: Camera, size: Size): Spot {
  return { x: (spot.x - camera.x) * camera.scale + size.w / 2, y: (spot.y - camera.y) * camera.scale + size.h / 2 };
}

/** Zooms so that what is below a point of the screen stays there. */
export function zoomed(camera: Camera, by: number, at: Spot, size: Size): Camera {
  const scale = clamp(camera.scale * by);
  const [dx, dy] = [at.x - size.w / 2, at.y - size.h / 2];
  return { x: camera.x + dx / camera.scale - dx / scale, y: camera.y + dy / camera.scale - dy / scale, scale };
}

/** Joins marks that are nearer than `APART`; what is outside the screen is left out. The most urgent keeps its place. */
export function grouped<M extends Mark>(marks: M[], camera: Camera, size: Size): Group<M>[] {
  const cells = new Map<string, Group<M>[]>();
  const groups: Group<M>[] = [];
  for (const mark of [...marks].sort((a, b) => a.rank - b.rank)) {
    const at = onScreen(mark, camera, size);
    if (at.x < -APART || at.y < -APART || at.x > size.w + APART || at.y > size.h + APART) continue;
    const [cx, cy] = [Math.floor(at.x / APART), Math.floor(at.y / APART)];
    let near: Group<M> | undefined;
    for (let x = cx - 1; x <= cx + 1 && !near; x++) for (let y = cy - 1; y <= cy + 1 && !near; y++) near = cells.get(`${x},${y}`)?.find((one) => Math.abs(one.x - at.x) < APART && Math.abs(one.y - at.y) < APART);
    if (near) near.marks.push(mark);
    else {
      const group = { ...at, marks: [mark] };
      groups.push(group);
      const cell = `${cx},${cy}`;
      cells.set(cell, [...(cells.get(cell) ?? []), group]);
    }
  }
  return groups;
}

export interface Label { x: number; y: number; text: string }

/** Width of a letter and of a Chinese character, and height of a line, px. */
const [LETTER, HAN, LINE] = [8.4, 15.5, 22];
/** Names of lone marks, where there is room for them: right, left, below, above; not below the buttons in the corner. */
export function labels(groups: { x: number; y: number; name: string }[], size: Size, large = 1): Label[] {
  const line = LINE * large;
  const taken = [{ l: size.w - 64 * large, r: size.w, t: size.h - 180 * large, b: size.h }, ...groups.map((one) => ({ l: one.x - 20, r: one.x + 20, t: one.y - 20, b: one.y + 20 }))];
  const found: Label[] = [];
  for (const { x, y, name } of groups) {
    if (!name) continue;
    const width = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0)! > 0x2e80 ? HAN : LETTER), 4) * large;
    const tries: Spot[] = [{ x: x + 20, y: y - line / 2 }, { x: x - 20 - width, y: y - line / 2 }, { x: x - width / 2, y: y + 20 }, { x: x - width / 2, y: y - 20 - line }];
    const spot = tries.find((at) => {
      const box = { l: at.x, r: at.x + width, t: at.y, b: at.y + line };
      return box.l >= 0 && box.t >= 0 && box.r <= size.w && box.b <= size.h && !taken.some((other) => other.l < box.r && other.r > box.l && other.t < box.b && other.b > box.t);
    });
    if (!spot) continue;
    taken.push({ l: spot.x, r: spot.x + width, t: spot.y, b: spot.y + line });
    found.push({ ...spot, text: name });
  }
  return found;
}

interface Shape { type: string; coordinates?: unknown; features?: Shape[]; geometries?: Shape[]; geometry?: Shape | null }

/** Every line of a GeoJSON (RFC 7946), projected. */
export function lines(shape: Shape | null, project: (lon: number, lat: number) => Spot): Spot[][] {
  if (!shape) return [];
  if (shape.type === 'FeatureCollection') return (shape.features ?? []).flatMap((one) => lines(one, project));
  if (shape.type === 'GeometryCollection') return (shape.geometries ?? []).flatMap((one) => lines(one, project));
  if (shape.type === 'Feature') return lines(shape.geometry ?? null, project);
  const depth = { LineString: 0, Polygon: 1, MultiLineString: 1, MultiPolygon: 2 }[shape.type];
  if (depth === undefined) return [];
  return ((depth === 0 ? [shape.coordinates] : (shape.coordinates as unknown[]).flat(depth - 1)) as [number, number][][]).map((line) => line.map(([lon, lat]) => project(lon, lat)));
}

/** Distance of the lines of the plain ground: 80 to 200 px, in decimal steps of degrees. */
export function gridStep(scale: number): number {
  const wanted = 100 / scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5, 10].find((one) => one * power >= wanted) ?? 10) * power;
}
