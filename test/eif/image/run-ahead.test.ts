/** A ramdisk that is ready before its turn: same bytes, failures at once, nothing left running. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runAhead } from '../../../eif/image/run-ahead.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { collect } from '../support/bytes.ts';

const NEVER = new AbortController().signal;

t.test('keeps the bytes, and reads the source before they are asked for', async (t) => {
  const path = join(temporaryFolder(t), 'ramdisk');
  const wasRead = Promise.withResolvers<void>();
  async function* source() {
    yield Buffer.from('one ');
    yield Buffer.alloc(300_000, 'two');
    wasRead.resolve();
  }
  await using ahead = runAhead(source(), path, NEVER);
  await wasRead.promise;
  const bytes = await collect(ahead.pieces);
  t.equal(bytes.toString(), `one ${Buffer.alloc(300_000, 'two')}`);
  t.same(readFileSync(path), bytes);
  t.notOk(ahead.failed.aborted);
});

t.test('tells at once that its source failed, with its own error', async (t) => {
  const error = new Error('changed');
  async function* source() {
    yield Buffer.from('one');
    throw error;
  }
  const path = join(temporaryFolder(t), 'ramdisk');
  await using ahead = runAhead(source(), path, NEVER);
  await new Promise((resolve) => ahead.failed.addEventListener('abort', resolve));
  t.equal(ahead.failed.reason, error);
  await t.rejects(collect(ahead.pieces), error);
});

t.test('ends its source when it is disposed of early', async (t) => {
  let isEnded = false;
  async function* source() {
    try {
      for (;;) yield Buffer.alloc(1000);
    } finally {
      isEnded = true;
    }
  }
  const ahead = runAhead(source(), join(temporaryFolder(t), 'ramdisk'), NEVER);
  await ahead[Symbol.asyncDispose]();
  t.ok(isEnded);
});

t.test('stops at the signal of its caller, also for who waits for the bytes', async (t) => {
  const controller = new AbortController();
  async function* source() {
    for (;;) yield Buffer.alloc(1000);
  }
  await using ahead = runAhead(source(), join(temporaryFolder(t), 'ramdisk'), controller.signal);
  const waiting = collect(ahead.pieces);
  controller.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
});
