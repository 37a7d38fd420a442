/** Where this instance keeps the enclave's keys: whether a set is there, and whether the running enclave works with the newest. */
import { z } from 'zod';
import { keysFolderOf } from '../../../config/host-proxy.ts';
import type { KeysStatus } from '../../keys/keys-status.ts';
import { keysStatus } from '../../keys/keys-status.ts';
import { isFolderName } from '../../keys/stored-set.ts';
import type { Check, CheckContext, Finding } from '../check.ts';
import { AS_ROOT, failure, ok, skipped, warning } from '../check.ts';

const QUESTION = { method: 'GET', path: '/status', headers: {} } as const;
const answer = z.object({ keys: keysStatus.nullable() });

/** Undefined where no daemon answers. */
async function toldByDaemon({ config, system, signal }: CheckContext): Promise<KeysStatus | undefined> {
  try {
    const { body } = await system.ask(config.admin.listen, QUESTION, signal);
    return answer.parse(JSON.parse(body)).keys ?? undefined;
  } catch {
    return undefined;
  }
}

function judge({ problem, audit, damaged, newest }: KeysStatus): Finding {
  if (problem !== null) {
    const found = [problem.code, problem.message].filter((part) => part !== null).join(': ');
    return failure(found, 'Look this code up in docs/errors.md, and see `acra-enclave keys status`.');
  }
  if (audit.broken)
    return failure('the audit log is no whole chain', 'See `acra-enclave keys audit verify`; keep the file as it is.');
  if (damaged > 0) return warning(`${damaged} folders hold no whole key set`, 'See `acra-enclave keys list`.');
  return ok(newest === null ? 'no key set yet' : `generation ${newest.generation} is the newest`);
}

function judgeFolder(folder: string, { system }: CheckContext): Finding {
  if (system.isHidden(folder)) return skipped(`${folder} is hidden from this user. ${AS_ROOT}`);
  const there = system.status(folder);
  if (there === undefined) return ok(`${folder} is not there yet; host-proxy makes it`);
  if (!there.readable) return skipped(`${folder} is not readable for this user. ${AS_ROOT}`);
  const sets = system.list(folder).filter(isFolderName);
  if (sets.length > 0) return ok(`${sets.length} in ${folder}`);
  return warning(
    `${folder} holds no key set`,
    'Hold a ceremony, or restore the sets of this enclave from a copy (docs/keys.md).',
  );
}

export const keysCheck: Check = {
  name: 'keys',
  checked: 'the key sets of the enclave',
  async examine(context) {
    const folder = keysFolderOf(context.config);
    if (folder === undefined) return ok('none are kept here (`keys.folder`)');
    const told = await toldByDaemon(context);
    return told === undefined ? judgeFolder(folder, context) : judge(told);
  },
};
