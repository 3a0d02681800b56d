/** Every centre, for all views: read once, whoever shows it. */
import { link, Poll } from './poll.svelte.ts';
import { isSilent, modeOf } from './state.ts';
import type { Gateway } from './types.ts';

class District {
  readonly poll = new Poll<Gateway[]>(() => '/api/v1/centres');
  readonly all = $derived(this.poll.value ?? []);
  readonly sums = $derived.by(() => {
    const sum = { centres: this.all.length, high: 0, medium: 0, low: 0, silent: 0, drill: 0, actual: 0, missing: 0 };
    for (const one of this.all) {
      sum.high += one.high;
      sum.medium += one.medium;
      sum.low += one.low;
      sum.missing += one.missing > 0 ? 1 : 0;
      sum.silent += isSilent(one, link.now) ? 1 : 0;
      const mode = modeOf(one);
      if (mode === 'drill' || mode === 'actual') sum[mode] += 1;
    }
    return sum;
  });
}

export const district = new District();
