/** What the programs in TypeScript share: the connection that they are told of, and the lines in which they tell how it went. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { CHECKS } from '../support/checklist.ts';

function given(name: string): string {
  const value = process.env[`CLIENT_${name}`];
  if (value === undefined) throw new Error(`CLIENT_${name} is not in the environment`);
  return value;
}

export const endpoint = {
  host: given('HOST'),
  port: Number(given('PORT')),
  user: given('USER'),
  database: given('DATABASE'),
};

export const files = { ca: given('CA'), cert: given('CERT'), key: given('KEY'), wrongCa: given('WRONG_CA') };

export const UNICODE = given('UNICODE');
export const ESCAPES = given('ESCAPES');
export const LARGE = 'xyz€0123'.repeat(12_500);

/** For `tls.connect`. */
export function tlsOptions(ca = files.ca) {
  return { ca: readFileSync(ca, 'utf8'), cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
}

/** The client has no such thing. */
export class Absent extends Error {}

export type Checks = Readonly<Record<string, () => Promise<unknown>>>;

function absentReason(error: unknown): string | undefined {
  return error instanceof Absent ? error.message : undefined;
}

async function outcome(check: string, run: (() => Promise<unknown>) | undefined) {
  try {
    assert(run, 'the program has no such check');
    const detail = await run();
    return { check, ok: true, detail: typeof detail === 'string' ? detail : '' };
  } catch (error) {
    const absent = absentReason(error);
    if (absent !== undefined) return { check, ok: null, detail: absent };
    return { check, ok: false, detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

interface About {
  readonly version: string;
  readonly mode: string;
  /** Default: Node. */
  readonly runtime?: string;
}

export async function runChecks(about: About, checks: Checks): Promise<void> {
  console.log(JSON.stringify({ runtime: `Node ${process.versions.node}`, ...about }));
  for (const { check } of CHECKS) console.log(JSON.stringify(await outcome(check, checks[check])));
}

/** Resolves with what a connection with the wrong authority failed with. */
export async function refusal(connection: Promise<unknown>): Promise<string> {
  const error = await connection.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof Error, 'it was not refused');
  return error.message;
}

/** Asks until the answer is yes, one question after the other. */
export async function until(ask: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 20_000; attempt++) if (await ask()) return;
  throw new Error('20,000 questions were answered with no');
}
