/**
 * What all commands share that change the keys of a running enclave: the enclave proves what it is, the request says what is asked of it,
 * operators sign, and what comes back is judged. One operator who suffices does it in one go.
 */
import type { ParentKeys } from '../../config/keys.ts';
import { readOperators } from '../../keys/operators.ts';
import { type KeyAction, toKeyRequestEnvelope } from '../../keys/requests/key-request.ts';
import { CliError } from '../errors.ts';
import type { KeysContext } from '../keys-context.ts';
import { bold, green, printJson, printLine, printRow, progress } from '../output.ts';
import { readClientNames } from './client-names.ts';
import { describeRequest } from './describe-request.ts';
import type { RequestOptions } from './enclave-options.ts';
import { handIn } from './hand-in.ts';
import { makeRequest, readOperatorKey, requireFrom, type Seal, toEnvelope, usedSet } from './make-request.ts';
import { printTrust } from './print-trust.ts';
import { type ProvenEnclave, proveEnclave } from './proven-enclave.ts';
import { approvalsOf, describeApprovals, writeRequestFile } from './request-file.ts';
import { requireParentKeys } from './source.ts';

export interface Change {
  readonly kind: KeyAction['kind'];
  /** @param seal encrypts a secret to the enclave that the request is for */
  plan(seal: Seal): Promise<KeyAction>;
  /** Throws unless it may be asked for. @param from hash of the set in use */
  permit?(enclave: ProvenEnclave, from: string | null): Promise<void>;
  /** Certificates that name clients. */
  readonly certificates?: readonly string[];
}

/** @throws CliError CLI_OPTION */
function requireWay({ key, out, url, socket, config }: RequestOptions, { approvals, operators }: ParentKeys): void {
  if (key === undefined && out === undefined) {
    const allowed = '--key FILE of an operator, or --out FILE for operators to sign';
    throw new CliError('CLI_OPTION', 'say who signs', { allowed });
  }
  if (out !== undefined) return;
  if (approvals > 1) {
    throw new CliError('CLI_OPTION', `${approvals} of ${operators.length} operators must sign`, {
      allowed: '--out FILE, then `keys approve` by each, then `keys submit`',
    });
  }
  if (url !== undefined && socket === undefined && config === undefined) {
    throw new CliError('CLI_OPTION', 'a listener takes no requests', {
      allowed: '--out FILE, and `keys submit` on the parent; or --socket PATH, forwarded by ssh, in the place of --url',
    });
  }
}

/** Operators, clients and the pin are read from the folder: it is to be that of the enclave. @throws CliError CLI_OPTION */
function requireSameName({ name }: ProvenEnclave, { config }: KeysContext): void {
  if (name === config.name) return;
  throw new CliError('CLI_OPTION', '--enclave is the folder of an enclave of another name', {
    found: config.name,
    allowed: name,
  });
}

/** @throws CliError, KeyError, AttestationError, CodedError of the daemon and the enclave */
export async function runChange(options: RequestOptions, context: KeysContext, change: Change): Promise<void> {
  const { out, json = false, trustRoot } = options;
  const keys = requireParentKeys(context, 'keys new, add-client, rotate data and seal, without a running enclave');
  requireWay(options, keys);
  requireFrom(options, change.kind);
  const signer = await readOperatorKey(context, options);
  if (!json) printTrust(trustRoot);
  progress('asking the enclave what it is');
  const enclave = await proveEnclave(options);
  requireSameName(enclave, context);
  const used = await usedSet(options, change.kind);
  await change.permit?.(enclave, used.sha256);
  const request = await makeRequest(enclave, used.sha256, change.plan);
  const names = readClientNames(context.folder, change.certificates);
  if (!json) {
    for (const [label, text] of describeRequest(request, names, enclave.image)) printRow(label, text);
    if (used.generation !== undefined) printRow('generation', `${used.generation} → ${used.generation + 1}`);
  }
  const envelope = toEnvelope(request, signer?.key);
  if (out === undefined) {
    const signed = { content: request, payload: toKeyRequestEnvelope(request).payload, envelope };
    await handIn(options, { request: signed, enclave, pin: keys.pin, json });
    return;
  }
  await writeRequestFile(out, envelope);
  const approvals = approvalsOf(envelope, readOperators(context.folder, context.config));
  if (json) printJson({ out, ...approvals, approvals: keys.approvals });
  else {
    printRow('signatures', describeApprovals(approvals, keys.approvals));
    printLine(
      `${green('written')} ${bold(out)}: \`keys approve\` by each who must sign, then \`keys submit\`, while this enclave runs`,
    );
  }
}
