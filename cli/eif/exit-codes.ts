/** How `eif verify` and `eif diff` end, as diff(1) does: 0 is yes, and a program must tell "no" from "cannot say". */

export const NO = 1;
/** Wrong usage, a file that cannot be read, whatever else left the question without an answer. */
export const TROUBLE = 2;
