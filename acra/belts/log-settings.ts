/**
 * Settings with which PostgreSQL writes statements, their values or rows into its log (PostgreSQL 18, "Error Reporting and Logging",
 * auto_explain), and what keeps each from it. Ciphertext may stand there; plaintext is what comes round the enclave and is refused by a
 * belt, or what the configuration does not protect.
 */

export interface LogSetting {
  readonly name: string;
  /** What logs nothing. */
  readonly quiet: string;
  /** Why, for people. */
  readonly why: string;
}

export const LOG_SETTINGS: readonly LogSetting[] = [
  {
    name: 'log_min_error_statement',
    quiet: 'panic',
    why: 'else a statement that fails is logged as it came: the one that a belt refuses, too',
  },
  {
    name: 'log_error_verbosity',
    quiet: 'terse',
    why: 'else DETAIL of a refused row is logged ("Failing row contains ..."), and the values of a key',
  },
  { name: 'log_statement', quiet: 'none', why: 'else statements are logged, with their parameters' },
  {
    name: 'log_min_duration_statement',
    quiet: '-1',
    why: 'else slow statements are logged, with their parameters',
  },
  { name: 'log_min_duration_sample', quiet: '-1', why: 'else some of the slow statements are logged' },
  { name: 'log_transaction_sample_rate', quiet: '0', why: 'else all statements of some transactions are logged' },
  {
    name: 'log_parameter_max_length',
    quiet: '0',
    why: 'no parameters where somebody has a statement logged all the same',
  },
  {
    name: 'log_parameter_max_length_on_error',
    quiet: '0',
    why: 'else the parameters of a statement that fails are logged; any session may change it for itself',
  },
  {
    name: 'debug_print_parse',
    quiet: 'off',
    why: 'else the tree of each statement is logged, constants in it; any session may change it for itself',
  },
  { name: 'debug_print_rewritten', quiet: 'off', why: 'as debug_print_parse' },
  { name: 'debug_print_plan', quiet: 'off', why: 'as debug_print_parse' },
  {
    name: 'auto_explain.log_min_duration',
    quiet: '-1',
    why: 'where that module is loaded: else plans are logged, with the text and the parameters',
  },
];

const OFF: readonly string[] = ['off', 'false', 'no', '0', 'of', 'f', 'n', 'fa', 'fal', 'fals'];

/** @param value as PostgreSQL shows it, or as somebody has set it */
export function isQuiet({ quiet }: LogSetting, value: string): boolean {
  const given = value.trim().toLowerCase();
  if (quiet === 'off') return OFF.includes(given);
  if (quiet === '-1') return /^-\d/.test(given);
  // A length or a rate, with or without a unit.
  if (quiet === '0') return /^[-+]?0+(?:\.0*)?\s*[a-z]*$/.test(given);
  return given === quiet;
}
