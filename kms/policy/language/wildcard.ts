/** `*` (any run of characters) and `?` (one character) of IAM policies. */

/** Linear in the product of both lengths; a regular expression could be made to run for ever. */
export function matchesWildcard(text: string, pattern: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const wanted = pattern[patternAt];
    if (wanted === '*') {
      starAt = patternAt++;
      resumeAt = at;
    } else if (wanted === '?' || wanted === text[at]) {
      patternAt++;
      at++;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(patternAt));
}
