/** How the load balancer asks its targets: how often, and how many answers decide. `bench/fleet` measures what this gives. */
export const CHECK_SECONDS = 10;
export const CHECKS = 2;
