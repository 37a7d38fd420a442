/** The order of texts that is the same in every locale, for whatever is compared byte by byte later: that of UTF-16 code units. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
