/** Shared by the image with two acra-servers and its test. */

/** Where the second one is reached from outside. */
export const SECOND_PORT = 7200;
/** Whom it runs as: the next after the first. */
export const SECOND_UID = 1001;
