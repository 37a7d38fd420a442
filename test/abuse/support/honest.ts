/** The honest client of a stack under attack (honest-main.ts), and what it has seen. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import type { ServingStack } from '../../support/stack.ts';

export interface HonestPlan {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Where it logs in itself. */
  readonly password?: string;
  readonly database: string;
  readonly servername: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly firstId: number;
  /** Whether it opens new sessions beside the one that it has. */
  readonly comesAnew: boolean;
}

interface HonestOptions {
  /** Default: the application's. */
  readonly certificate?: IssuedCertificate;
  readonly comesAnew?: boolean;
  readonly password?: string;
}

/** Of one kind of operation since the last report; times of those that succeeded. */
export interface Sample {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How often, by SQLSTATE (or the system's code) and message. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface HonestReport {
  readonly statements: Sample;
  readonly sessions: Sample;
  /** Long sessions that ended though nobody ended them. */
  readonly lost: number;
  /** Answers that were not what was stored. */
  readonly wrong: number;
}

const MAIN = fileURLToPath(new URL('./honest-main.ts', import.meta.url));

export class HonestClient {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it has its session. */
  static async start(
    t: Test,
    { stack, address }: ServingStack,
    { certificate, comesAnew = true, password }: HonestOptions = {},
  ): Promise<HonestClient> {
    const { certificates } = stack.parts;
    const { certificatePem: cert, privateKeyPem: key } = certificate ?? certificates.client;
    const child = fork(MAIN, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const plan: HonestPlan = {
      host: address.host,
      port: address.port,
      user: APPLICATION.user,
      database: DATABASE,
      servername: ENCLAVE_NAME,
      ca: certificates.applicationCaPem,
      cert,
      key,
      firstId: certificate ? 2_000_000 : 1_000_000,
      comesAnew,
      ...(password === undefined ? {} : { password }),
    };
    child.send(plan);
    t.teardown(() => child.kill('SIGKILL'));
    await once(child, 'message');
    return new HonestClient(child);
  }

  /** What has happened since the last call. */
  async report(): Promise<HonestReport> {
    this.#child.send('report');
    const [report] = await once(this.#child, 'message');
    return report;
  }

  async end(): Promise<void> {
    this.#child.send('end');
    await once(this.#child, 'exit');
  }
}

/** Success of everything: no failure, no session lost, no answer wrong. @param maxRefused of the new sessions */
export function holdHonest(t: Test, during: string, { statements, sessions, lost, wrong }: HonestReport): void {
  t.same(statements.failures, {}, `${during}: no statement failed`);
  t.same(sessions.failures, {}, `${during}: no session was refused`);
  t.same({ lost, wrong }, { lost: 0, wrong: 0 }, `${during}: no session was lost, no answer wrong`);
}

/** Times go into docs/abuse.md by hand: a busy machine must not fail a test. */
export function tellHonest(t: Test, during: string, { statements, sessions, lost, wrong }: HonestReport): void {
  const text = ({ count, failures, p50Ms, p99Ms, maxMs }: Sample) => {
    const failed = Object.values(failures).reduce((sum, each) => sum + each, 0);
    const success = (100 * count) / Math.max(1, count + failed);
    const times = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1)).join(' / ');
    return `${count} (${success.toFixed(2)} %), p50 / p99 / max ${times} ms`;
  };
  t.comment(`${during}: statements ${text(statements)}; sessions ${text(sessions)}; lost ${lost}, wrong ${wrong}`);
}
