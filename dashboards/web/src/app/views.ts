/** The views, in the order of the rail: one row a view. */
import type { Component } from 'svelte';
import type { IconName } from '../design/icons.ts';
import type { Words } from '../words/zh.ts';
import Alarms from '../views/alarms/View.svelte';
import Canteen from '../views/canteen/View.svelte';
import Devices from '../views/devices/View.svelte';
import Kiosks from '../views/kiosks/View.svelte';
import Overview from '../views/overview/View.svelte';
import Rooms from '../views/rooms/View.svelte';

export interface ViewRow { id: keyof Words['views']; icon: IconName; view: Component }

export const VIEWS: ViewRow[] = [
  { id: 'overview', icon: 'overview', view: Overview },
  { id: 'alarms', icon: 'alarm', view: Alarms },
  { id: 'canteen', icon: 'canteen', view: Canteen },
  { id: 'kiosks', icon: 'kiosk', view: Kiosks },
  { id: 'rooms', icon: 'rooms', view: Rooms },
  { id: 'devices', icon: 'devices', view: Devices },
];
