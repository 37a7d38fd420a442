/** The bill of materials is written piece by piece; together they are what JSON.stringify would write. */
import t from 'tap';
import { type BomContent, type BomEntry, encodeBom } from '../../../eif/bom/cyclonedx.ts';

const entry = (name: string, sha256: string | undefined): BomEntry => {
  return { name, mode: 0o644, size: 7, uid: 5, gid: 6, sha256 };
};

const CONTENT: BomContent = {
  image: { name: 'image', version: '1', properties: { cmdline: 'a "b"\nc' } },
  tool: { name: 'tool', version: '2' },
  components: [
    {
      key: 'z',
      type: 'library',
      name: 'é "x"',
      version: '1',
      purl: 'pkg:z',
      license: 'MIT',
      properties: { b: '1', a: '2' },
    },
    { key: 'a', type: 'data', name: 'nothing in it', version: undefined },
  ],
  ramdisks: [
    {
      entries: [entry('b', 'ff'), entry('a"\n', 'ee'), entry('folder', undefined)],
      componentOf: new Map([
        ['b', 'z'],
        ['a"\n', 'z'],
      ]),
    },
    { entries: [entry('b', 'dd')], componentOf: new Map([['b', 'z']]) },
  ],
};

t.test('writes what JSON.stringify would, components and files in the order of their names', async (t) => {
  const text = [...encodeBom(CONTENT)].join('');
  const bill = JSON.parse(text);
  t.equal(text, `${JSON.stringify(bill, null, 2)}\n`);
  t.same(
    bill.components.map((each: { name: string }) => each.name),
    ['nothing in it', 'é "x"'],
  );
  t.notOk('components' in bill.components[0]);
  t.match(bill.components[1].components, [
    { 'bom-ref': 'ramdisk-0:/a"\n', hashes: [{ content: 'ee' }] },
    { 'bom-ref': 'ramdisk-0:/b', hashes: [{ content: 'ff' }] },
    { 'bom-ref': 'ramdisk-1:/b', hashes: [{ content: 'dd' }] },
  ]);
  t.match(bill.components[1].components[0].properties, [
    { value: '7' },
    { value: '6' },
    { value: '0644' },
    { value: '0' },
    { value: '5' },
  ]);
});
