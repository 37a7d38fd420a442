/** What becomes of connections for attestation, in the words of metrics (docs/metrics.md). */

/**
 * `answered`: with a document; `refused`: with the reason why there is none; `rate`: too many in a second, of its address or in all,
 * closed before its handshake; `places`: too many at once, the newcomer or one that made room for it; `late`: a stage took too long;
 * `protocol`: no handshake, or too many bytes; `gone`: it left; `internal`: a defect.
 */
export const ATTESTATION_OUTCOMES = [
  'answered',
  'refused',
  'rate',
  'places',
  'late',
  'protocol',
  'gone',
  'internal',
] as const;
export type AttestationOutcome = (typeof ATTESTATION_OUTCOMES)[number];

/** One number for each. */
export function byOutcome(numberOf: (outcome: AttestationOutcome) => number): Record<AttestationOutcome, number> {
  return Object.fromEntries(ATTESTATION_OUTCOMES.map((outcome) => [outcome, numberOf(outcome)])) as Record<
    AttestationOutcome,
    number
  >;
}
