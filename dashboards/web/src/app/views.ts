/** The views, in the order of the rail: one row a view. */
import type { Component } from 'svelte';
import type { Permission } from '../api/session.svelte.ts';
import type { IconName } from '../design/icons.ts';
import type { Words } from '../words/zh.ts';
import Overview from '../views/overview/View.svelte';

/** `needs`: one of these permissions opens the view. `load` gives it; all but the first come as files of their own. */
export interface ViewRow { id: keyof Words['views']; icon: IconName; load: () => Promise<Component>; needs: Permission[] }

/** Asks for the file of a view once; after a failure again. */
function late(load: () => Promise<{ default: Component }>): () => Promise<Component> {
  let found: Promise<Component> | undefined;
  return () => (found ??= load().then((file) => file.default).catch((error: unknown) => {
    found = undefined;
    throw error;
  }));
}

const LOOKS: Permission[] = ['view'];

export const VIEWS: ViewRow[] = [
  { id: 'overview', icon: 'overview', load: () => Promise.resolve(Overview), needs: LOOKS },
  { id: 'cabin', icon: 'heart', load: late(() => import('../views/cabin/View.svelte')), needs: ['visits'] },
  { id: 'alarms', icon: 'alarm', load: late(() => import('../views/alarms/View.svelte')), needs: LOOKS },
  { id: 'canteen', icon: 'canteen', load: late(() => import('../views/canteen/View.svelte')), needs: LOOKS },
  { id: 'kiosks', icon: 'kiosk', load: late(() => import('../views/kiosks/View.svelte')), needs: LOOKS },
  { id: 'rooms', icon: 'rooms', load: late(() => import('../views/rooms/View.svelte')), needs: LOOKS },
  { id: 'devices', icon: 'devices', load: late(() => import('../views/devices/View.svelte')), needs: LOOKS },
  { id: 'system', icon: 'system', load: late(() => import('../views/system/View.svelte')), needs: ['configure', 'accounts', 'records'] },
];

/** Gets the files of all views while nothing else is to do, so that each opens also when the gateway does not answer. */
export function loadAll(): void {
  for (const row of VIEWS) void row.load().catch(() => {});
}

/** The views that whoever is here may open. */
export function opened(may: (what: Permission) => boolean): ViewRow[] {
  return VIEWS.filter((row) => row.needs.some(may));
}
