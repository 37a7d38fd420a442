/**
 * Runs one client's program against the target. The program is in the client's own language; it learns everything from the
 * environment (names below), prints one JSON line about itself and one a check, and ends by itself.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ClientTarget } from '../target.ts';
import type { ClientResult } from './checklist.ts';
import { aboutSchema, outcomeSchema } from './checklist.ts';

const PROGRAM_TIMEOUT_MS = 240_000;
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

/** @throws Error when the program does not end well, or prints what is neither; with its error output */
export async function runClient(target: ClientTarget, program: ClientProgram): Promise<ClientResult> {
  const { stdout, stderr } = await promisify(execFile)(program.command, program.args, {
    env: environmentOf(target, program),
    timeout: PROGRAM_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const [first, ...lines] = stdout.split('\n').filter((line) => line !== '');
  if (first === undefined) throw new Error(`${program.client} printed nothing: ${stderr}`);
  return {
    client: program.client,
    about: aboutSchema.parse(JSON.parse(first)),
    target: target.description,
    date: new Date().toISOString().slice(0, 10),
    outcomes: lines.map((line) => outcomeSchema.parse(JSON.parse(line))),
  };
}
