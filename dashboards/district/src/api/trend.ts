/** Trends through the district's database. */
import { SPANS, type Span } from 'web/parts/trend.ts';
import { get, now, path } from './client.ts';

/** The sum of one span of time, as the gateway's own trends have it. */
export interface Minute { t: number; mean: number; min: number; max: number }
export interface Read { minutes: Minute[]; from: number; to: number }

export async function trend(of: { centre: string; gateway: string; device: string; point: string }, span: Span): Promise<Read> {
  const { hours, step } = SPANS[span];
  const to = now();
  const from = to - hours * 3_600_000;
  const query = new URLSearchParams({ device: of.device, point: of.point, from: String(Math.floor(from)), to: String(Math.ceil(to)), step: String(step * 60_000) });
  return { minutes: await get<Minute[]>(`${path('centres', of.centre, of.gateway, 'trend')}?${query}`), from, to };
}
