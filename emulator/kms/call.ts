/** One request in work: who asks, what the operations may use, and what the audit trail will say about it. */
import type { Policy } from '../../kms/policy/language/document.ts';
import type { PolicyRequest } from '../../kms/policy/language/evaluate.ts';
import { evaluatePolicy } from '../../kms/policy/language/evaluate.ts';
import { requestContext } from '../../kms/policy/language/request-context.ts';
import { truthOf } from '../../kms/policy/language/truth.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { Principal } from '../principal.ts';
import type { EncryptionContext } from './encryption-context.ts';
import type { Fault } from './faults.ts';
import type { KeyUsage } from './key-kinds.ts';
import type { KeyStore, KmsKey } from './key-store.ts';
import type { NsmTrust } from './nsm-trust.ts';
import type { Recipient } from './recipient.ts';
import { authenticateRecipient } from './recipient.ts';
import { ServiceError } from './service-error.ts';

export interface KmsDependencies {
  readonly keys: KeyStore;
  /** DER of the root under which attestation documents must verify. */
  readonly nsmTrust: NsmTrust;
  readonly clock: Clock;
  readonly random: Random;
  /** IAM policies of roles, by the role's ARN; they decide what concerns no key. */
  readonly rolePolicies: ReadonlyMap<string, Policy>;
}

/** What the request was about, as far as it has become known when it ends. */
export interface CallFacts {
  principal?: string;
  keyArn?: string;
  encryptionContext?: EncryptionContext;
  recipientPcr0?: string;
}

export interface Authorization {
  readonly key: KmsKey;
  readonly recipient?: Recipient | undefined;
  readonly encryptionContext?: EncryptionContext;
  /** Default: the operation. */
  readonly permission?: string;
}

export class Call {
  readonly operation: string;
  readonly principal: Principal;
  readonly dependencies: KmsDependencies;
  readonly fault: Fault | undefined;
  readonly facts: CallFacts;

  constructor(call: Pick<Call, 'operation' | 'principal' | 'dependencies' | 'fault' | 'facts'>) {
    this.operation = call.operation;
    this.principal = call.principal;
    this.dependencies = call.dependencies;
    this.fault = call.fault;
    this.facts = call.facts;
  }

  /** @throws ServiceError NotFoundException */
  findKey(reference: string): KmsKey {
    const key = this.dependencies.keys.find(reference);
    this.facts.keyArn = key.arn;
    return key;
  }

  /** @throws ServiceError ValidationException */
  authenticateRecipient(document: Buffer): Recipient {
    const { nsmTrust, clock } = this.dependencies;
    const recipient = authenticateRecipient(document, { nsmTrust, nowMs: clock.nowMs() });
    if (recipient.pcr0 !== undefined) this.facts.recipientPcr0 = recipient.pcr0;
    return recipient;
  }

  /** Asks the key's policy. @throws ServiceError AccessDeniedException */
  authorize({ key, recipient, encryptionContext = {}, permission = this.operation }: Authorization): void {
    const decision = evaluatePolicy(key.policy, this.#request(key.arn, recipient, encryptionContext, permission));
    if (decision === 'allow') return;
    throw this.denied(
      key.arn,
      decision === 'explicit-deny' ? 'the key policy denies it' : 'no statement of the key policy allows it',
    );
  }

  /** For what concerns no key: IAM policies decide, and the administrator's allow everything. @throws ServiceError AccessDeniedException */
  authorizeWithoutKey(recipient: Recipient | undefined): void {
    const { principal, operation, dependencies } = this;
    if (principal.administrator) return;
    const policy = dependencies.rolePolicies.get(principal.policyArn) ?? [];
    if (evaluatePolicy(policy, this.#request('*', recipient, {})) === 'allow') return;
    throw new ServiceError(
      'AccessDeniedException',
      `User: ${principal.arn} is not authorized to perform: kms:${operation} because no identity-based policy allows the kms:${operation} action`,
    );
  }

  #request(
    keyArn: string,
    recipient: Recipient | undefined,
    encryptionContext: EncryptionContext,
    permission: string = this.operation,
  ): PolicyRequest {
    const { principal: caller } = this;
    const action = `kms:${permission}`;
    const context = requestContext({ caller, action, registers: recipient?.registers, encryptionContext });
    return { caller, action, keyArn, context, accountAllows: truthOf(caller.administrator) };
  }

  denied(resource: string, reason: string): ServiceError {
    return new ServiceError(
      'AccessDeniedException',
      `User: ${this.principal.arn} is not authorized to perform: kms:${this.operation} on resource: ${resource}; ${reason}`,
    );
  }

  /** @throws ServiceError DisabledException, InvalidKeyUsageException */
  requireFit(key: KmsKey, usage: KeyUsage = 'ENCRYPT_DECRYPT'): void {
    if (!key.enabled) throw new ServiceError('DisabledException', `${key.arn} is disabled`);
    if (key.keyUsage === usage) return;
    throw new ServiceError(
      'InvalidKeyUsageException',
      `${key.arn} key usage is ${key.keyUsage} which is not valid for ${this.operation}.`,
    );
  }
}
