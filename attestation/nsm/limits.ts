/** Sizes that the driver and the security module set. Specification: nitro-formats 3.5. */

/** NSM_REQUEST_MAX_SIZE of the driver. */
export const MAX_NSM_REQUEST_BYTES = 0x1000;
/** NSM_RESPONSE_MAX_SIZE of the driver. */
export const MAX_NSM_RESPONSE_BYTES = 0x3000;
/** What one GetRandom gives at most. */
export const MAX_NSM_RANDOM_BYTES = 256;
/** User data, nonce and public key of an attestation request, each. */
export const MAX_ATTESTATION_FIELD_BYTES = 1024;
