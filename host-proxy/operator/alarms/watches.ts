/** Everything that is watched, what pages first. */
import type { Watch } from './watch.ts';
import { KEY_WATCHES } from './watches/keys.ts';
import { PROTECTION_WATCHES } from './watches/protection.ts';
import { RESOURCE_WATCHES } from './watches/resources.ts';
import { SERVICE_WATCHES } from './watches/service.ts';

const ALL = [...SERVICE_WATCHES, ...PROTECTION_WATCHES, ...KEY_WATCHES, ...RESOURCE_WATCHES];

export const WATCHES: readonly Watch[] = [
  ...ALL.filter(({ severity }) => severity === 'page'),
  ...ALL.filter(({ severity }) => severity === 'ticket'),
];
