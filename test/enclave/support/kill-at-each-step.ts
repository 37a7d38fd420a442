/**
 * SIGKILL of the machine or of the parent's daemon at each step of an operation on its keys: no set is lost, none is there twice, and what was
 * written is readable. The table of kills is made here, for whatever operation makes a set, and printed with what each came to.
 */
import type { Test } from 'tap';
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { explaining } from './explaining.ts';
import type { KilledParts } from './killed-parts.ts';
import type { Part } from './separate-parts.ts';

/**
 *   asked: the enclave works on the request   made: the daemon has the set in memory   stored: it is on disk   brought: the enclave opens it
 *   taken: it is in use
 */
type Step = 'asked' | 'made' | 'stored' | 'brought' | 'taken';

interface Kill {
  readonly at: Step;
  readonly part: Part;
  /** What is dead is started again. well: all must work then. held: KMS is asked to open the set, and does not answer. */
  readonly next: 'well' | 'held';
}

/**
 * In an order in which few machines boot: from `stored` on it is one set, which KMS does not open until both have died of it. Between making a
 * set and being brought it a machine has no part in what becomes of it, so that there is no kill of it in between.
 */
const KILLS: readonly Kill[] = [
  { at: 'asked', part: 'daemon', next: 'well' },
  { at: 'asked', part: 'machine', next: 'well' },
  { at: 'made', part: 'daemon', next: 'well' },
  { at: 'stored', part: 'daemon', next: 'held' },
  { at: 'brought', part: 'daemon', next: 'held' },
  { at: 'brought', part: 'machine', next: 'well' },
  { at: 'taken', part: 'daemon', next: 'well' },
];
/** Where another operation follows, its first kill of the machine is this one too. */
const AT_LAST: Kill = { at: 'taken', part: 'machine', next: 'well' };

/** What the daemon does next on its disk (support/kill-at.ts); the audit log has been begun before. */
const DAEMONS_NEXT: Partial<Record<Step, string>> = { made: 'mkdir .partial-…', stored: 'flush keys' };

const WITHOUT_HOLDING = 'AWS’s own KMS keeps no answer back, so that nobody knows that the step has not ended';

/** @throws Error: it goes on; CodedError: something else than its end */
async function untilDaemonEnded({ stack }: KilledParts, asking: Promise<unknown>): Promise<void> {
  const isOver = await asking.then(
    () => false,
    (error: unknown) => {
      if (errorCode(error) === 'HOST_COMMAND_BROKEN') return true;
      throw error;
    },
  );
  if (!isOver) throw new Error('the daemon has outlived the step at which it was to end');
  await stack.daemon?.exited;
}

async function killAt({ at, part }: Kill, action: KeyAction, world: KilledParts): Promise<void> {
  const { parts, kms, folder } = world;
  const daemonsNext = part === 'daemon' ? DAEMONS_NEXT[at] : undefined;
  if (daemonsNext !== undefined) {
    await parts.startDaemonThatEnds(folder, daemonsNext);
    await world.untilWell();
    await untilDaemonEnded(world, world.change(action));
    if (at === 'stored') await world.expectStored();
    return;
  }
  if (at === 'asked') {
    const untilAsked = kms?.hold('GenerateDataKey');
    // Which of the two is killed decides what it ends with.
    world.change(action).catch(() => undefined);
    await untilAsked?.();
  }
  await parts.kill(part);
}

/** @returns what it came to */
async function goOn(t: Test, { next }: Kill, world: KilledParts): Promise<string> {
  const { stack, parts, kms, stored } = world;
  const isHeld = next === 'held' && kms !== undefined;
  if (isHeld) {
    const untilAsked = kms.hold('Decrypt');
    await parts.start();
    await untilAsked();
  } else {
    kms?.release();
    await world.untilWell();
  }
  const inUse = isHeld ? stored.length - 1 : stored.length;
  t.equal((await stack.keys.status()).taken?.generation ?? 0, inUse, 'generation in use');
  if (inUse === 0) return 'none';
  return `${inUse}, ${await world.requireRows(t)} rows readable`;
}

/** One operation after the other. @param world well */
export async function killAtEachStep(t: Test, actions: readonly KeyAction[], world: KilledParts): Promise<void> {
  const test = explaining(t, world.stack);
  const table = ['SIGKILL in | at | of the | generations on disk | in use'];
  const outlive = (kill: Kill, action: KeyAction) => {
    const { at, part } = kill;
    const skip = (at === 'asked' || at === 'brought') && world.kms === undefined && WITHOUT_HOLDING;
    const body = async (t: Test) => {
      await killAt(kill, action, world);
      const then = await goOn(t, kill, world);
      await world.requireSets(t);
      table.push([action.kind, at, part, world.stored.join(', ') || 'none', then].join(' | '));
    };
    return test(`outlive SIGKILL of the ${part} in ${action.kind}, ${at}`, body, { skip });
  };
  for (const action of actions) for (const kill of KILLS) await outlive(kill, action);
  const last = actions.at(-1);
  if (last !== undefined) await outlive(AT_LAST, last);
  t.comment(table.join('\n'));
}
