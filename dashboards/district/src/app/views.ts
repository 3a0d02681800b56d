/** The views, in the order of the rail: one row a view. */
import type { Component } from 'svelte';
import type { IconName } from 'web/design/icons.ts';
import type { Words } from '../words/zh.ts';
import type { Permission } from '../api/session.svelte.ts';
import Accounts from '../views/accounts/View.svelte';
import Alarms from '../views/alarms/View.svelte';
import Aside from '../views/aside/View.svelte';
import Gateways from '../views/gateways/View.svelte';
import Centre from '../views/centre/View.svelte';
import Map from '../views/map/View.svelte';
import Orders from '../views/orders/View.svelte';
import Record from '../views/record/View.svelte';
import Rank from '../views/rank/View.svelte';
import Report from '../views/report/View.svelte';

export interface ViewRow { id: string; icon: IconName; view: Component; word?: keyof Words['views']; /** What opens it. */ needs: Permission }

/** Rows without a word are reached from others. */
export const VIEWS: ViewRow[] = [
  { id: 'map', icon: 'map', view: Map, word: 'map', needs: 'view' },
  { id: 'alarms', icon: 'alarm', view: Alarms, word: 'alarms', needs: 'view' },
  { id: 'rank', icon: 'rank', view: Rank, word: 'rank', needs: 'view' },
  { id: 'orders', icon: 'send', view: Orders, word: 'orders', needs: 'view' },
  { id: 'aside', icon: 'aside', view: Aside, word: 'aside', needs: 'view' },
  { id: 'accounts', icon: 'people', view: Accounts, word: 'accounts', needs: 'accounts' },
  { id: 'gateways', icon: 'people', view: Gateways, needs: 'centres' },
  { id: 'record', icon: 'people', view: Record, needs: 'record' },
  { id: 'centre', icon: 'map', view: Centre, needs: 'view' },
  { id: 'report', icon: 'map', view: Report, needs: 'view' },
];

/** The row of the rail that a view belongs to. */
export function railOf(view: string): string {
  if (view === 'gateways' || view === 'record') return 'accounts';
  return view === 'centre' || view === 'report' ? 'map' : view;
}
