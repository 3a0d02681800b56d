/** A gateway as it is enrolled. */
export type Standing = 'revoked' | 'certificate' | 'invited' | 'ended' | 'expired' | 'no_certificate';
export interface Enrolled {
  centre: string; gateway: string; name: string | null; phone: string | null; lat: number | null; lon: number | null; online: boolean; user: string;
  enrolled_at: number; revoked_at: number | null; certificate_until: number | null; code_until: number | null; state: Standing;
}
export interface Invited { centre: string; gateway: string; code: string | null; until?: number; command?: string; fingerprint?: string }

/** A place as people write it, `31.2304, 121.4737`; null where it is none. */
export function placeOf(text: string): [number, number] | null {
  const [lat = NaN, lon = NaN, ...rest] = text.split(/[,，\s]+/).filter(Boolean).map(Number);
  return rest.length === 0 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat, lon] : null;
}
