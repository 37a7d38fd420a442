/** The bill of materials is written piece by piece; together they are what JSON.stringify would write. */
import t from 'tap';
import { type BomContent, encodeBom } from '../../../eif/bom/cyclonedx.ts';
import type { CpioEntry } from '../../../eif/cpio/reader.ts';

const HEADER: CpioEntry['header'] = {
  inode: 1,
  mode: 0o100644,
  uid: 5,
  gid: 6,
  links: 1,
  mtimeS: 0,
  size: 7,
  deviceMajor: 0,
  deviceMinor: 0,
  nodeMajor: 0,
  nodeMinor: 0,
  nameBytes: 2,
  check: 0,
};
const entry = (name: string, sha256: string | undefined): CpioEntry => ({
  name,
  type: sha256 === undefined ? 'directory' : 'file',
  mode: 0o644,
  header: HEADER,
  target: undefined,
  sha256,
});

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
