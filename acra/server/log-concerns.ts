/**
 * Which records of acra-server 0.96.0 are alarms. It fails open: whatever keeps it from encrypting is a line in its log, and the
 * statement goes to the database as it came. Most of those lines carry no code, or one that other lines share, so the message
 * decides. Listed is the line that is written where the statement is let go (acra-server contract, 3.8), not those before it that say
 * why. Which of them are one alarm together: log-alarms.ts.
 */
import type { LogLevel } from '../../runtime/log.ts';
import { describeLogCode } from './log-codes.ts';

/**
 * `plaintext`: values that should have been encrypted went to the database as they came. `unexamined`: acra-server could not
 * read a statement, or not all of it, and passed it on; if it wrote a protected value, that went out as it came. `poison`: somebody is copying the database.
 * `undetected`: rows went to a client without the search for poison records. `unread`: a record that nobody could read, which
 * may have been any of these.
 */
export const ALARM_CONCERNS = ['plaintext', 'unexamined', 'poison', 'undetected', 'unread'] as const;
export type AlarmConcern = (typeof ALARM_CONCERNS)[number];

/**
 * `unexamined` alone is no proof that something went wrong: acra-server cannot read DISCARD ALL, LISTEN or VACUUM either, and its
 * record quotes nothing of the statement, so that nobody can tell them from an INSERT. At a level of its own it neither hides the
 * others nor takes their place where records wait.
 */
export const ALARM_LEVELS: Readonly<Record<AlarmConcern, LogLevel>> = {
  plaintext: 'fatal',
  unexamined: 'error',
  poison: 'fatal',
  undetected: 'fatal',
  unread: 'fatal',
};

export interface Alarm {
  readonly concern: AlarmConcern;
  readonly meaning: string;
}

/** Stands in for a record that cannot be read as one, though it should be. */
export const UNREADABLE_RECORD = 'text withheld: a record that cannot be read';

const FAILED_BIND = 'encrypting the parameters of a statement failed; acra-server forwarded them as they came';
const ROWS_AS_STORED =
  'rows of an answer that acra-server does not know the statement of: not searched for poison records';

/** Beside the codes 900, 903, 587 and 101 (log-codes.ts). All are of level warning or error. */
export const ALARM_MESSAGES: ReadonlyMap<string, Alarm> = new Map<string, Alarm>([
  [
    "Can't decode data with unsupported coding format or unsupported expression",
    {
      concern: 'plaintext',
      meaning: 'a value is written in a form that acra-server does not encrypt; it forwarded it as it came',
    },
  ],
  ["Failed to handle Bind packet: can't find prepared statement", { concern: 'plaintext', meaning: FAILED_BIND }],
  ["Failed to handle Bind packet: can't extract parameters", { concern: 'plaintext', meaning: FAILED_BIND }],
  ['Failed to handle Bind packet', { concern: 'plaintext', meaning: FAILED_BIND }],
  ['Failed to update Bind packet', { concern: 'plaintext', meaning: FAILED_BIND }],
  ["Can't get BoundValue data", { concern: 'plaintext', meaning: FAILED_BIND }],
  [
    'Failed to cast changedStatement to PreparedQuery',
    { concern: 'plaintext', meaning: 'a PREPARE was forwarded as it came' },
  ],
  [
    'ON DUPLICATE KEY UPDATE is not supported in prepared statements',
    { concern: 'plaintext', meaning: 'parameters of an ON DUPLICATE KEY clause were forwarded as they came' },
  ],
  [
    'Amount of values in INSERT bigger than column count',
    {
      concern: 'unexamined',
      meaning:
        'an INSERT has more values than the configuration lists columns; those at the end were forwarded as they came',
    },
  ],
  [
    'ignoring error of non parsed sql statement',
    {
      concern: 'unexamined',
      meaning:
        'acra-server cannot read a statement and does not say which; harmless if it holds no protected value (DISCARD ALL, ' +
        'LISTEN, VACUUM), but what it writes went to the database as it came',
    },
  ],
  [
    'Failed to parse input query',
    { concern: 'unexamined', meaning: 'the censor cannot read a statement and let it pass' },
  ],
  [
    'Unknown message format. Processed as general message.',
    { concern: 'unexamined', meaning: 'a message of a kind that acra-server does not know was forwarded as it came' },
  ],
  [
    'Skip poison record check due to a lack of poison keys',
    { concern: 'undetected', meaning: 'the keystore has no poison keys: nothing is searched for poison records' },
  ],
  [
    'Unexpected error in poison record callbacks',
    { concern: 'poison', meaning: 'a poison record was read, and acting on it failed' },
  ],
  [
    'nil pendingPacket in handleQueryDataPacket: potential Multi-Statement query not supported by Acra',
    { concern: 'undetected', meaning: ROWS_AS_STORED },
  ],
  [
    UNREADABLE_RECORD,
    {
      concern: 'unread',
      meaning: 'a record of acra-server cannot be read; it may have told of plaintext or of a poison record',
    },
  ],
]);

/** What a record of level warning or above means for whoever guards the data; undefined when it is no alarm. */
export function alarmOf({ message, code }: { readonly message: string; readonly code?: number }): Alarm | undefined {
  const byMessage = ALARM_MESSAGES.get(message);
  if (byMessage) return byMessage;
  const described = code === undefined ? undefined : describeLogCode(code);
  if (described?.concern !== 'plaintext' && described?.concern !== 'poison') return undefined;
  return { concern: described.concern, meaning: described.meaning };
}
