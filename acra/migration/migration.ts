/** A column whose existing rows are being encrypted (decision 21): the names of what it takes, as the measured configuration gives them. */

/** Names as PostgreSQL stores them, without schemas. Plain data: it goes to other programs and threads. */
export interface Migration {
  readonly table: string;
  /** What applications know: plaintext before the switch, protected behind it. */
  readonly column: string;
  /** Where the protected values gather until then. */
  readonly beside: string;
  /** What the plaintext is called from then on. */
  readonly old: string;
}
