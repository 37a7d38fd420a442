/** The board of the enclave's state: which state may follow which. */
import t from 'tap';
import { StatusBoard } from '../../supervisor/status.ts';
import type { EnclaveState } from '../../wire/control/messages.ts';
import { FakeClock } from '../support/fake-clock.ts';

function boardIn(...states: readonly EnclaveState[]) {
  const board = new StatusBoard(new FakeClock());
  for (const state of states) board.set({ state, errorCode: `IN_${state.toUpperCase()}` });
  const told: string[] = [];
  board.subscribe(({ state }) => told.push(state));
  return { board, told };
}

for (const later of ['booting', 'serving', 'degraded'] as const)
  t.test(`keeps a failure, and its code, when something says ${later} after it`, async (t) => {
    const { board, told } = boardIn('serving', 'failed');
    board.set({ state: later, phase: 'serve' });
    t.match(board.current, { state: 'failed', errorCode: 'IN_FAILED' });
    t.same(told, [], 'nobody hears of it');
  });

t.test('keeps an ordered stop from being called serving again', async (t) => {
  const { board } = boardIn('serving', 'stopping');
  board.set({ state: 'degraded' });
  board.set({ state: 'serving' });
  t.equal(board.current.state, 'stopping');
  board.set({ state: 'stopped' });
  t.equal(board.current.state, 'stopped');
});

t.test('follows trouble and recovery', async (t) => {
  const { board, told } = boardIn('serving');
  board.set({ state: 'degraded', errorCode: 'BOOT_DATABASE_UNREACHABLE' });
  board.set({ state: 'serving' });
  t.same(told, ['degraded', 'serving']);
  t.equal(board.current.errorCode, null, 'a reason ends with its state');
});
