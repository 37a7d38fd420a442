/** Ports on the parent instance, and what it asks others on. */
export const HEALTH_PORT = 9_466;
export const ADMIN_PORT = 9_464;
export const INGRESS_PORT = 5_432;
export const HTTPS_PORT = 443;
