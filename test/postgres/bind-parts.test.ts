/** The parts of a Bind are, one behind another, the message that is written whole. */
import t from 'tap';
import { bindParts } from '../../postgres/bind-parts.ts';
import { BIND } from '../../postgres/messages.ts';

t.test('writes the same message as is written whole', async (t) => {
  const long = Buffer.alloc(300, 0xab);
  const values = [Buffer.from('ü'), null, long, Buffer.alloc(0)];
  t.same(Buffer.concat(bindParts(['ü', null, long, ''])), BIND.encode('', '', [0, 0, 1, 0], values, [1]));
  t.same(Buffer.concat(bindParts([])), BIND.encode('', '', [], [], [1]));
});

t.test('copies no value that is given in bytes', async (t) => {
  const value = Buffer.from('where it is');
  t.ok(bindParts([value]).includes(value));
});
