/** docs/architecture.md says the folders and the phases of the boot as they are, both ways. */
import t from 'tap';
import { appTable } from '../../supervisor/boot/app-table.ts';
import { readSource } from './imports.ts';
import { GROUND, MAY_IMPORT } from './source-folders.ts';

const document = readSource('docs/architecture.md');

/** The cells of a table's rows, below the heading. */
function rowsBelow(heading: string): string[][] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    .filter(([first]) => first?.startsWith('`'));
}

const namesIn = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

function importsIn(cell = ''): string[] {
  const others = cell.replace(/the ground floors|nothing of ours/g, '').replace(/`[^`]+`/g, '');
  if (others.replaceAll(',', '').trim() !== '') throw new Error(`not a list of folders: ${cell}`);
  return [...(cell.includes('the ground floors') ? GROUND : []), ...namesIn(cell)].toSorted();
}

t.test('keeps the table of folders equal to the one that imports are held to', async (t) => {
  const rows = rowsBelow('Folders').filter(([folder]) => namesIn(folder).length === 1);
  const told = rows.map(([folder, , may]) => [namesIn(folder)[0]?.replace(/\/$/, ''), importsIn(may)]);
  t.same(
    Object.fromEntries(told),
    Object.fromEntries(Object.entries(MAY_IMPORT).map(([folder, may]) => [folder, may.toSorted()])),
  );
  t.equal(told.length, Object.keys(MAY_IMPORT).length, 'each once');
});

t.test('keeps each folder below those that it may import', async (t) => {
  const order = rowsBelow('Folders').flatMap(([folder]) => namesIn(folder).map((name) => name.replace(/\/$/, '')));
  const upwards = Object.entries(MAY_IMPORT).flatMap(([folder, may]) =>
    may.filter((other) => order.indexOf(other) > order.indexOf(folder)).map((other) => `${folder} → ${other}`),
  );
  t.same(upwards, []);
});

t.test('keeps the phases of the boot of any application, in order', async (t) => {
  const names = appTable.phases.map(({ name }) => name);
  const told = rowsBelow('The boot of any application').flatMap(([phase]) => {
    const [first = '', last = first] = namesIn(phase);
    return names.slice(names.indexOf(first), names.indexOf(last) + 1);
  });
  t.same(told, names);
});

t.test('keeps the phases of the boot, in order', async (t) => {
  const phases = [...readSource('supervisor/boot/table.ts').matchAll(/\.phase\((\w+)\)/g)].map(([, name = '']) => {
    const source = readSource('supervisor/boot/table.ts');
    const file = new RegExp(`\\{ ${name} \\} from '\\./([^']+)'`).exec(source)?.[1] ?? '';
    return /^ {2}name: '([^']+)'/m.exec(readSource(`supervisor/boot/${file}`))?.[1];
  });
  t.ok(phases.length > 10);
  t.same(
    rowsBelow("The supervisor's boot").map(([phase]) => namesIn(phase)[0]),
    phases,
  );
});
