/** Shared by the image that restarts its child and the test that counts (images/restarts.ts). */
export const RESTARTS = 500;
export const ORPHAN_EVERY = 50;
export const ORPHANS = RESTARTS / ORPHAN_EVERY;
