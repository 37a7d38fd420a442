/** Loopback addresses for names: which one, for how long, and who gives one up (docs/specs/egress.md, 6). */
import t from 'tap';
import { Names } from '../../../supervisor/egress/names.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const HOUR_MS = 3_600_000;

t.test('gives addresses in the order of asking, and each name keeps its own', async (t) => {
  const names = new Names('127.64.0.0/16', new FakeClock());
  t.match(names.ask('a.example'), { given: { address: '127.64.0.1' }, isNew: true });
  t.match(names.ask('b.example'), { given: { address: '127.64.0.2' }, isNew: true });
  t.match(names.ask('a.example'), { given: { address: '127.64.0.1' }, isNew: false });
  t.equal(names.size, 2);
});

t.test('holds at most as many as fit, and gives no address twice before an hour without a question', async (t) => {
  const clock = new FakeClock();
  const names = new Names('127.64.0.0/24', clock);
  for (let index = 1; index <= 254; index += 1)
    t.match(names.ask(`n${index}.example`), { given: { address: `127.64.0.${index}` } });
  t.equal(names.ask('more.example'), undefined, 'the first and the last of a network are no addresses of names');
  clock.advance(HOUR_MS - 1);
  names.ask('n1.example');
  t.equal(names.ask('more.example'), undefined);
  clock.advance(1);
  t.match(names.ask('more.example'), {
    given: { address: '127.64.0.2' },
    isNew: true,
    dropped: { name: 'n2.example' },
  });
  t.match(names.ask('n2.example'), { given: { address: '127.64.0.3' }, dropped: { name: 'n3.example' } });
});

t.test('takes no address from a name while a connection to it is open', async (t) => {
  const clock = new FakeClock();
  const names = new Names('127.64.0.0/24', clock);
  for (let index = 1; index <= 254; index += 1) names.ask(`n${index}.example`);
  const held = names.hold('127.64.0.1');
  t.equal(held?.name, 'n1.example');
  clock.advance(HOUR_MS);
  t.match(names.ask('more.example'), { dropped: { name: 'n2.example' } });
  held?.release();
  t.match(names.ask('other.example'), { dropped: { name: 'n3.example' } }, 'its end counts as a question');
  t.equal(names.hold('127.64.1.1'), undefined);
});

t.test('takes back what could not be listened on', async (t) => {
  const names = new Names('127.64.0.0/16', new FakeClock());
  names.ask('a.example');
  names.forget('a.example');
  names.forget('unknown.example');
  t.equal(names.size, 0);
  t.match(names.ask('b.example'), { given: { address: '127.64.0.1' } });
});

t.test('never holds more than a thousand, however large the network is', async (t) => {
  const names = new Names('127.128.0.0/9', new FakeClock());
  for (let index = 0; index < 2_000; index += 1) names.ask(`n${index}.example`);
  t.equal(names.size, 1_024);
});
