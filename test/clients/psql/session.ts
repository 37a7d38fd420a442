/** A psql that stays: statements go to its standard input, and a mark tells where the answer to them ends. */
import { strict as assert } from 'node:assert';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { endpoint, files } from '../node/checks.ts';

const MARK = '--- the answer ends ---';

/** Conninfo quoting (PostgreSQL manual, 32.1.1.1). */
const quoted = (value: string | number) => `'${String(value).replace(/['\\]/g, '\\$&')}'`;

function conninfo(ca: string): string {
  const { database: dbname, ...rest } = endpoint;
  const settings = { ...rest, dbname, sslmode: 'verify-full', sslrootcert: ca, sslcert: files.cert, sslkey: files.key };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
}

/** `CLIENT_PRELOAD`: a libpq for psql alone. */
function environment(): NodeJS.ProcessEnv {
  const { CLIENT_PRELOAD, ...rest } = process.env;
  return CLIENT_PRELOAD === undefined ? rest : { ...rest, LD_PRELOAD: CLIENT_PRELOAD };
}

interface Answer {
  /** Rows of unaligned text. */
  readonly out: string;
  /** Errors and notices. */
  readonly err: string;
}

function untilMark(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (answer: string) => {
      stream.off('data', add);
      stream.off('end', end);
      resolve(answer);
    };
    const end = () => done(text);
    const add = (chunk: string) => {
      text += chunk;
      if (text.endsWith(`${MARK}\n`)) done(text.slice(0, -MARK.length - 1));
    };
    stream.setEncoding('utf8').on('data', add).on('end', end);
  });
}

export interface Session {
  /** Ends with psql itself when that is sooner. */
  ask(input: string): Promise<Answer>;
  /** As Ctrl-C: psql asks the server to cancel. */
  interrupt(): void;
  /** @throws AssertionError when psql ends with an error */
  close(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** A check that fails may leave one open. */
export function endSessions(): void {
  for (const child of running) child.stdin?.end();
}

/** @param settings psql variables */
export function psqlSession(program: string, settings: Readonly<Record<string, string>> = {}, ca = files.ca): Session {
  const variables = Object.entries(settings).map(([name, value]) => `--set=${name}=${value}`);
  const child = spawn(program, ['-X', '-A', '-t', '-q', ...variables, conninfo(ca)], {
    stdio: 'pipe',
    env: environment(),
  });
  running.add(child);
  const closed = once(child, 'close').finally(() => running.delete(child));
  child.stdin.on('error', () => undefined);
  return {
    async ask(input) {
      const answers = Promise.all([untilMark(child.stdout), untilMark(child.stderr)]);
      child.stdin.write(`${input}\n\\echo ${quoted(MARK)}\n\\warn ${quoted(MARK)}\n`);
      const [out, err] = await answers;
      return { out, err };
    },
    interrupt: () => void child.kill('SIGINT'),
    async close() {
      child.stdin.end();
      const [code] = await closed;
      assert.equal(code, 0, 'psql ends well');
    },
  };
}
