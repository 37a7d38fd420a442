/** What each command of the private socket does. */
import { whenAborted } from '../../../runtime/abort.ts';
import type { LineBuffer } from '../../../system/lines/line-buffer.ts';
import type { TlsKeyCertificate } from '../../enclave/tls-key-certificate.ts';
import type { KeyCommands } from '../../keys/key-commands.ts';
import { EnclaveError } from '../../machine/errors.ts';
import type { HostStatus } from '../host-status.ts';
import { describeProgress } from '../host-status.ts';
import type { CommandReply, CommandRequest } from './protocol.ts';

/** What commands may see and do of the daemon. */
export interface CommandTarget {
  status(): HostStatus;
  readonly records: LineBuffer;
  /** @throws EnclaveError ENCLAVE_NO_CONSOLE */
  console(): LineBuffer;
  requestStop(): void;
  /** Of the TLS key that the enclave made itself. */
  readonly tlsKeyCertificate: Pick<TlsKeyCertificate, 'request' | 'install'>;
  /** @returns document and statement, as the attestation listener gives them. @throws HostProxyError; ReportedError */
  attest(nonce: Buffer, signal: AbortSignal): Promise<object>;
  /** @throws HostProxyError HOST_KEYS_UNCONFIGURED */
  keys(): Pick<KeyCommands, 'report' | 'list' | 'change' | 'first' | 'load'>;
  /** Calls back after each change of the status. @returns ends it. */
  subscribe(onChange: () => void): () => void;
  /** Aborts when the daemon has stopped everything but its command socket. */
  readonly over: AbortSignal;
}

/** Every other end leaves nothing behind. */
const NOT_STOPPED = 'ENCLAVE_NOT_TERMINATED';

type Reply = (reply: CommandReply) => void;

/** @throws EnclaveError ENCLAVE_NOT_TERMINATED: the daemon ends, but not all of the enclave has. */
async function stop(target: CommandTarget, reply: Reply, gone: AbortSignal): Promise<string> {
  let told: string | undefined;
  const tell = () => {
    const text = describeProgress(target.status());
    if (text !== told) reply({ type: 'progress', text });
    told = text;
  };
  using tidy = new DisposableStack();
  tidy.defer(target.subscribe(tell));
  target.requestStop();
  tell();
  await whenAborted(AbortSignal.any([target.over, gone]));
  const lastEnd = target.status().machine?.lastEnd;
  if (lastEnd?.code === NOT_STOPPED) throw new EnclaveError(NOT_STOPPED, lastEnd.reason);
  return lastEnd?.reason ?? 'no enclave had been started';
}

async function tail(
  lines: LineBuffer,
  wish: { readonly lines: number; readonly follow: boolean },
  reply: Reply,
  ends: AbortSignal,
): Promise<string> {
  for (const text of lines.tail(wish.lines)) reply({ type: 'line', text });
  if (!wish.follow) return '';
  using tidy = new DisposableStack();
  tidy.defer(lines.follow((text) => reply({ type: 'line', text })));
  await whenAborted(ends);
  return 'the daemon has stopped';
}

/** One JSON document. */
async function line(reply: Reply, answer: Promise<object>): Promise<string> {
  reply({ type: 'line', text: JSON.stringify(await answer) });
  return '';
}

/** @param gone aborts when the asker went away. @throws CodedError of whatever was asked */
export async function handleCommand(
  target: CommandTarget,
  request: CommandRequest,
  reply: Reply,
  gone: AbortSignal,
): Promise<string> {
  switch (request.command) {
    case 'status':
      reply({ type: 'status', status: target.status() });
      return '';
    case 'stop':
      return await stop(target, reply, gone);
    case 'install-certificate':
      return await target.tlsKeyCertificate.install(request.chain, gone);
    case 'certificate-request':
      reply({ type: 'line', text: await target.tlsKeyCertificate.request(Buffer.from(request.nonce, 'hex'), gone) });
      return '';
    case 'attest':
      return await line(reply, target.attest(Buffer.from(request.nonce, 'hex'), gone));
    case 'keys-status':
      return await line(reply, target.keys().report(gone));
    case 'keys-list':
      return await line(reply, target.keys().list());
    case 'change-keys':
      return await line(reply, target.keys().change(request.request));
    case 'key-set':
      return await line(reply, target.keys().first());
    case 'load-share':
      return await line(reply, target.keys().load(request.share));
    case 'logs':
      return await tail(target.records, request, reply, AbortSignal.any([target.over, gone]));
    default:
      return await tail(target.console(), request, reply, AbortSignal.any([target.over, gone]));
  }
}
