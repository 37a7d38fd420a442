/** The emulated KMS behind its transport: from a request as it arrived to the answer, with authentication and audit. */
import { randomUUID } from 'node:crypto';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { AuditEntry, AuditTrail } from './audit.ts';
import type { CallFacts, KmsDependencies } from './call.ts';
import { Call } from './call.ts';
import type { Fault, Faults } from './faults.ts';
import type { Operation } from './operations/input.ts';
import { OPERATIONS } from './operations/table.ts';
import { ServiceError } from './service-error.ts';
import type { SignatureVerifier, SignedRequest } from './signature.ts';

const TARGET_PREFIX = 'TrentService.';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

/** `hang` and `close` are injected faults: the transport keeps the answer back or drops the connection. */
type Outcome = Answer | 'hang' | 'close';

interface KmsServiceOptions {
  readonly dependencies: KmsDependencies;
  readonly verifier: SignatureVerifier;
  readonly faults: Faults;
  readonly audit: AuditTrail;
  readonly logger: Logger;
}

interface Work {
  readonly requestId: string;
  readonly name: string;
  readonly facts: CallFacts;
  fault: Fault | undefined;
}

function operationName(request: SignedRequest): string {
  const [target = ''] = request.headers.get('x-amz-target') ?? [];
  return target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : target;
}

function findOperation(request: SignedRequest, name: string): Operation {
  const operation = request.method === 'POST' && request.target === '/' ? OPERATIONS.get(name) : undefined;
  if (operation === undefined) throw new ServiceError('UnknownOperationException', 'There is no such operation');
  return operation;
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new ServiceError('SerializationException', 'The body is not JSON', { cause: error });
  }
}

/** KMS says so of a request that it would have carried out (KMS developer guide, "Testing your permissions"). */
function refuseDryRun(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('DryRun' in body) || body.DryRun !== true) return;
  throw new ServiceError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
}

function throwFault(fault: Fault | undefined): void {
  if (fault?.kind === 'throttle') throw new ServiceError('ThrottlingException', 'The rate of requests is too high');
  if (fault?.kind === 'expired-token') {
    throw new ServiceError('ExpiredTokenException', 'The security token included in the request is expired');
  }
}

/** A key ARN of the same account that no key has. */
function foreignArn(arn: string): string {
  return arn.replace(/[^/]+$/, randomUUID());
}

export class KmsService {
  readonly #options: KmsServiceOptions;

  constructor(options: KmsServiceOptions) {
    this.#options = options;
  }

  async handle(request: SignedRequest): Promise<Outcome> {
    const work: Work = { requestId: randomUUID(), name: operationName(request), facts: {}, fault: undefined };
    try {
      const result = await this.#perform(request, work);
      await this.#record(work, typeof result === 'string' ? { outcome: 'unanswered' } : { outcome: 'success' });
      if (typeof result === 'string') return result;
      return { status: 200, body: JSON.stringify(result), requestId: work.requestId };
    } catch (error) {
      return this.#fail(work, error);
    }
  }

  async #perform(request: SignedRequest, work: Work): Promise<object | 'hang' | 'close'> {
    const run = findOperation(request, work.name);
    const { verifier, faults, dependencies } = this.#options;
    const principal = await verifier.verify(request);
    work.facts.principal = principal.arn;
    work.fault = faults.take(work.name);
    const { fault, facts } = work;
    if (fault?.kind === 'hang' || fault?.kind === 'close') return fault.kind;
    throwFault(fault);
    const call = new Call({ operation: work.name, principal, dependencies, fault, facts });
    const body = parseBody(request.body);
    const result = await run(call, body);
    refuseDryRun(body);
    if (fault?.kind !== 'wrong-key-id' || facts.keyArn === undefined) return result;
    return { ...result, KeyId: foreignArn(facts.keyArn) };
  }

  async #fail(work: Work, error: unknown): Promise<Answer> {
    const known = error instanceof ServiceError;
    const answer = known ? error : new ServiceError('KMSInternalException', 'The emulator failed', { cause: error });
    if (!known) this.#options.logger.log('error', 'kms.failed', { operation: work.name, err: describeError(error) });
    await this.#record(work, { outcome: 'error', errorCode: answer.type });
    return { status: answer.status, body: answer.toBody(), requestId: work.requestId };
  }

  async #record(work: Work, end: Pick<AuditEntry, 'outcome' | 'errorCode'>): Promise<void> {
    const { audit, dependencies, logger } = this.#options;
    const entry: AuditEntry = {
      time: new Date(dependencies.clock.nowMs()).toISOString(),
      requestId: work.requestId,
      operation: OPERATIONS.has(work.name) ? work.name : 'unknown',
      ...work.facts,
      ...end,
      ...(work.fault === undefined ? {} : { fault: work.fault.kind }),
    };
    logger.log('info', 'kms.request', {
      operation: entry.operation,
      outcome: entry.outcome,
      code: entry.errorCode,
      principal: entry.principal,
    });
    await audit.record(entry);
  }
}
