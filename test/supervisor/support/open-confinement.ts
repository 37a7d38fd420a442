/** A confinement that confines nothing, in a folder that is there. */
import type { Confinement } from '../../../system/processes/confinement.ts';

export function openConfinement(folder: string): Confinement {
  const nothing = () => undefined;
  return { folder, user: undefined, openDoor: () => folder, enclose: nothing, clear: nothing, release: nothing };
}
