/**
 * Runs one client's program against the target. The program is in the client's own language; it learns everything from the
 * environment (names below), prints one JSON line about itself and one a check, and ends by itself.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ClientTarget } from '../target.ts';
import type { ClientResult } from './checklist.ts';
import { aboutSchema, CHECKS, outcomeSchema } from './checklist.ts';

const PROGRAM_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

export interface ClientProgram {
  /** As the table calls it. */
  readonly client: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Values that a program stores and reads in the checks of the same names. */
const VALUES = {
  CLIENT_UNICODE: 'naïve 😀 👩‍👩‍👧 漢字 かな 한국어 עברית العربية Ελληνικά e\u0301 „quoted“ ‚too‘',
  CLIENT_ESCAPES: `it's "quoted" \\ \\\\ \\x41 \\101 \\n %s %% $1 $$ ? :name {0} ; -- /* */ \`tick\` &amp; tab\there\nsecond line\r\nthird 'line'`,
};

function environmentOf(target: ClientTarget, program: ClientProgram): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    LC_ALL: 'C.UTF-8',
    CLIENT_HOST: target.host,
    CLIENT_PORT: String(target.port),
    CLIENT_USER: target.user,
    CLIENT_DATABASE: target.database,
    CLIENT_CA: target.ca,
    CLIENT_CERT: target.cert,
    CLIENT_KEY: target.key,
    CLIENT_KEY_DER: target.keyDer,
    CLIENT_WRONG_CA: target.wrongCa,
    ...VALUES,
    ...program.env,
  };
}

const UNKNOWN = { version: 'unknown', runtime: 'unknown', mode: '' };

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined: the program ended well. */
  readonly failure?: string;
}

async function run(target: ClientTarget, program: ClientProgram): Promise<Ended> {
  try {
    return await promisify(execFile)(program.command, program.args, {
      env: environmentOf(target, program),
      timeout: PROGRAM_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
    });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Partial<Ended> & Error;
    return { stdout, stderr, failure: stderr.trim() === '' ? message : stderr.trim() };
  }
}

/**
 * A program that does not end well has one failed outcome more, with its error output, under the check at which it ended.
 * @throws Error when it prints what is no outcome
 */
export async function runClient(target: ClientTarget, program: ClientProgram): Promise<ClientResult> {
  const { stdout, failure } = await run(target, program);
  const [first, ...lines] = stdout.split('\n').filter((line) => line !== '');
  const outcomes = lines.map((line) => outcomeSchema.parse(JSON.parse(line)));
  const check = CHECKS[outcomes.length]?.check ?? 'close';
  return {
    client: program.client,
    about: first === undefined ? UNKNOWN : aboutSchema.parse(JSON.parse(first)),
    target: target.description,
    date: new Date().toISOString().slice(0, 10),
    outcomes: failure === undefined ? outcomes : [...outcomes, { check, ok: false, detail: failure }],
  };
}
