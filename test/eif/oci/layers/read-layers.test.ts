/** Reading a whole image: what is told meanwhile, and how it stops. */
import { join } from 'node:path';
import t from 'tap';
import { readLayers } from '../../../../eif/oci/layers/read-layers.ts';
import { openLayout } from '../../../../eif/oci/source/layout.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { ARCHITECTURE, writeLayout } from '../support/layout.ts';

const open = (folder: string) => openLayout(folder, undefined, ARCHITECTURE);

t.test('tells each layer as it is read', async (t) => {
  const root = temporaryFolder(t);
  const told: string[] = [];
  await readLayers(
    await open(writeLayout(join(root, 'i'), { layers: [[{ name: 'a' }], [{ name: 'b' }, { name: 'c' }]] })),
    {
      spoolPath: join(root, 'spool'),
      signal: AbortSignal.timeout(60_000),
      onProgress: (line) => told.push(line),
    },
  );
  t.match(told, [/^layer 1 of 2: 1 entries/, /^layer 2 of 2: 2 entries/]);
});

/** Aborts when it is asked for the `count`th time, so that what is read is in the middle of something. */
function abortedAt(count: number): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const check = signal.throwIfAborted.bind(signal);
  let asked = 0;
  signal.throwIfAborted = () => {
    asked += 1;
    if (asked === count) controller.abort();
    check();
  };
  return signal;
}

t.test('stops within a layer, and within a file of one, when it is told to', async (t) => {
  const root = temporaryFolder(t);
  const large = [{ name: 'a', bytes: Buffer.alloc(8 * 1024 * 1024) }];
  const image = await open(writeLayout(join(root, 'i'), { layers: [large] }));
  for (const count of [1, 3]) {
    const signal = abortedAt(count);
    const options = { spoolPath: join(root, `spool-${count}`), signal, onProgress: () => undefined };
    t.equal(await readLayers(image, options).catch((error: unknown) => error), signal.reason);
  }
});
