/** The views, in the order of the rail: one row a view. */
import type { Component } from 'svelte';
import type { Permission } from '../api/session.svelte.ts';
import type { IconName } from '../design/icons.ts';
import type { Words } from '../words/zh.ts';
import Alarms from '../views/alarms/View.svelte';
import Cabin from '../views/cabin/View.svelte';
import Canteen from '../views/canteen/View.svelte';
import Devices from '../views/devices/View.svelte';
import Kiosks from '../views/kiosks/View.svelte';
import Overview from '../views/overview/View.svelte';
import Rooms from '../views/rooms/View.svelte';
import System from '../views/system/View.svelte';

/** `needs`: one of these permissions opens the view. */
export interface ViewRow { id: keyof Words['views']; icon: IconName; view: Component; needs: Permission[] }

const LOOKS: Permission[] = ['view'];

export const VIEWS: ViewRow[] = [
  { id: 'overview', icon: 'overview', view: Overview, needs: LOOKS },
  { id: 'cabin', icon: 'heart', view: Cabin, needs: ['visits'] },
  { id: 'alarms', icon: 'alarm', view: Alarms, needs: LOOKS },
  { id: 'canteen', icon: 'canteen', view: Canteen, needs: LOOKS },
  { id: 'kiosks', icon: 'kiosk', view: Kiosks, needs: LOOKS },
  { id: 'rooms', icon: 'rooms', view: Rooms, needs: LOOKS },
  { id: 'devices', icon: 'devices', view: Devices, needs: LOOKS },
  { id: 'system', icon: 'system', view: System, needs: ['configure', 'accounts', 'records'] },
];

/** The views that whoever is here may open. */
export function opened(may: (what: Permission) => boolean): ViewRow[] {
  return VIEWS.filter((row) => row.needs.some(may));
}
