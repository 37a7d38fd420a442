import t from 'tap';
import { EnclaveError } from '../../../../host-proxy/machine/errors.ts';
import type { CommandTarget } from '../../../../host-proxy/operator/command/handle.ts';
import { handleCommand } from '../../../../host-proxy/operator/command/handle.ts';
import type { CommandReply, CommandRequest } from '../../../../host-proxy/operator/command/protocol.ts';
import type { HostStatus, MachineStatus } from '../../../../host-proxy/operator/host-status.ts';
import { LineBuffer } from '../../../../system/lines/line-buffer.ts';
import { rejectsCode } from '../../../support/coded-error.ts';

const KEYS = {
  report: async () => ({ asked: 'report' }) as never,
  list: async () => ({ asked: 'list' }) as never,
  change: async (request: string) => ({ asked: request }) as never,
  first: async () => ({ asked: 'first' }) as never,
  load: async (share: string) => ({ asked: share }) as never,
};

/** A daemon that is over as soon as it is told to stop. */
function daemonThatEnds(lastEnd: MachineStatus['lastEnd']): CommandTarget {
  const over = new AbortController();
  const lines = new LineBuffer({ maxLines: 1, maxBytes: 1 });
  const machine = { stage: 'ended', lastEnd } as Partial<MachineStatus>;
  const shedding = { active: false, sinceMs: null, total: 0 };
  const status = { state: 'unknown', enclave: null, reason: null, shedding, machine } as Partial<HostStatus>;
  return {
    status: () => status as HostStatus,
    records: lines,
    console: () => lines,
    requestStop: () => over.abort(),
    tlsKeyCertificate: {
      request: async (nonce) => `request for ${nonce.toString('hex')}`,
      install: async (chain) => `installed ${chain}`,
    },
    attest: async (nonce) => ({ document: nonce.toString('hex') }),
    keys: () => KEYS,
    subscribe: () => () => undefined,
    over: over.signal,
  };
}

const stop = (lastEnd: MachineStatus['lastEnd']) =>
  handleCommand(daemonThatEnds(lastEnd), { command: 'stop' }, () => undefined, new AbortController().signal);

t.test('rejects a stop that left the machine behind (ENCLAVE_NOT_TERMINATED)', async (t) => {
  const code = 'ENCLAVE_NOT_TERMINATED';
  const error = await rejectsCode(
    () => stop({ atMs: 1, code, reason: 'i-1 could not be ended', reported: null }),
    EnclaveError,
    code,
  );
  t.equal(error.message, 'i-1 could not be ended');
});

t.test('tells how the enclave ended when it is gone, also for another reason than the stop', async (t) => {
  t.equal(await stop({ atMs: 1, code: null, reason: 'it stopped in order', reported: null }), 'it stopped in order');
  t.equal(await stop({ atMs: 1, code: 'ENCLAVE_DIED', reason: 'it died', reported: null }), 'it died');
  t.equal(await stop(null), 'no enclave had been started');
});

t.test('answers about keys and attestation with one line of JSON each', async (t) => {
  const ask = async (request: CommandRequest) => {
    const replies: CommandReply[] = [];
    await handleCommand(daemonThatEnds(null), request, (reply) => replies.push(reply), new AbortController().signal);
    return replies;
  };
  const line = (answer: object) => [{ type: 'line', text: JSON.stringify(answer) }];
  t.same(await ask({ command: 'attest', nonce: '0a'.repeat(16) }), line({ document: '0a'.repeat(16) }));
  t.same(await ask({ command: 'keys-status' }), line({ asked: 'report' }));
  t.same(await ask({ command: 'keys-list' }), line({ asked: 'list' }));
  t.same(await ask({ command: 'change-keys', request: 'AAAA' }), line({ asked: 'AAAA' }));
  t.same(await ask({ command: 'key-set' }), line({ asked: 'first' }));
  t.same(await ask({ command: 'load-share', share: 'BBBB' }), line({ asked: 'BBBB' }));
});
