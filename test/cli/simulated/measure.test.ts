/** What a simulated enclave measures in the place of an image. */
import t from 'tap';
import { CODE } from '../../../cli/simulated/measure.ts';
import { readArrows } from '../../project/imports.ts';
import { SOURCE_FOLDERS } from '../../project/source-folders.ts';

/** The supervisor launches the others. */
const PROGRAMS = [
  ...['supervisor/main.ts', 'sessions/front/main.ts', 'sessions/guard/main.ts', 'sessions/ports/main.ts'],
  ...['system/processes/launcher.ts', 'acra/keystore/change-main.ts'],
];

t.test('measures every folder that the enclave runs code of', async (t) => {
  const arrows = readArrows(SOURCE_FOLDERS).filter(({ typeOnly }) => !typeOnly);
  const reached = new Set(PROGRAMS);
  for (const file of reached) for (const { from, to } of arrows) if (from === file) reached.add(to);
  const folders = new Set(
    [...reached].filter((file) => file !== 'package.json').map((file) => file.split('/')[0] ?? ''),
  );
  t.ok(folders.size > 5);
  t.same(
    [...folders].filter((folder) => !CODE.includes(folder)),
    [],
  );
});
