/**
 * What the `options` of a start-up packet set: a command line in one text, which PostgreSQL splits by rules of its own
 * and gives to getopt(3), so that switches may stand together and take the next word. What is read here otherwise than there
 * would be a setting that nobody looked at: what is not certain is refused.
 * Source: PostgreSQL 18, pg_split_opts in src/backend/utils/init/postinit.c, process_postgres_switches in
 * src/backend/tcop/postgres.c and ParseLongOption in src/backend/utils/misc/guc.c.
 */
import { SessionError } from './session-error.ts';

/** What isspace(3) takes in the C locale parts words; a backslash takes the next character as it is. */
const WORDS = /(?:\\[\s\S]?|[^\\ \t\n\v\f\r])+/g;
const ESCAPES = /\\([\s\S]?)/g;
const BARE_SWITCHES = 'bEeFijlnOPsT';
const SWITCHES_WITH_ARGUMENT = 'BCDdfhkNprSstvWc-';
/** Those of which the argument is `name=value`; the others set what has no part in how a statement is read, or nothing. */
const SETTING_SWITCHES = 'c-';

interface Setting {
  readonly name: string;
  readonly value: string;
}

function uncertain(what: string): SessionError {
  const advice = 'write each setting as -c name=value, or as a parameter of the start-up packet';
  return new SessionError('22023', `the options of the start-up packet are not clear: ${what}; ${advice}`);
}

function split(options: string): string[] {
  return (options.match(WORDS) ?? []).map((word) => word.replace(ESCAPES, '$1'));
}

function parseSetting(argument: string): Setting {
  const end = argument.indexOf('=');
  if (end < 0) throw uncertain('a setting has no value');
  return { name: argument.slice(0, end).replaceAll('-', '_'), value: argument.slice(end + 1) };
}

/** The switches of one word; `next` is asked for the following one. */
function readWord(word: string, next: () => string | undefined): Setting | undefined {
  if (!/^-./.test(word)) throw uncertain('a word is no switch');
  const at = [...word].findIndex((letter, index) => index > 0 && !BARE_SWITCHES.includes(letter));
  if (at < 0) return undefined;
  const letter = word.charAt(at);
  if (!SWITCHES_WITH_ARGUMENT.includes(letter)) throw uncertain('a switch is not known');
  const argument = word.slice(at + 1) || next();
  if (argument === undefined) throw uncertain('a switch has no argument');
  return SETTING_SWITCHES.includes(letter) ? parseSetting(argument) : undefined;
}

/**
 * @param options latin1
 * @returns what they set, in their order
 * @throws SessionError 22023 PostgreSQL could read them otherwise, or would refuse them
 */
export function settingsInOptions(options: string): Setting[] {
  // Which bytes beyond ASCII are white space depends on the locale of the database.
  if (/[^\0-\x7f]/.test(options)) throw uncertain('they are not all ASCII');
  const words = split(options);
  const settings: Setting[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--' && words.length === 0) break;
    if (word === '--') throw uncertain('words follow the end of the switches');
    const setting = readWord(word, () => words.shift());
    if (setting) settings.push(setting);
  }
  return settings;
}
