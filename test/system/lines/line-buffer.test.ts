import t from 'tap';
import { LineBuffer } from '../../../system/lines/line-buffer.ts';

t.test('keeps the newest lines, oldest first, and no more than it may', async (t) => {
  const lines = new LineBuffer({ maxLines: 3, maxBytes: 100 });
  t.same(lines.tail(10), []);
  for (let n = 1; n <= 100; n += 1) {
    lines.push(String(n));
    t.ok(lines.tail(10).length <= 3);
  }
  t.same(lines.tail(10), ['98', '99', '100']);
  t.same(lines.tail(1), ['100']);
  t.same(lines.tail(0), []);
});

t.test('tells each follower every new line until it ends', async (t) => {
  const lines = new LineBuffer({ maxLines: 3, maxBytes: 100 });
  const seen: string[] = [];
  lines.push('before');
  const end = lines.follow((line) => seen.push(line));
  lines.push('one');
  end();
  lines.push('two');
  t.same(seen, ['one']);
});

t.test('keeps no more bytes than it may, whatever the number of lines', async (t) => {
  const lines = new LineBuffer({ maxLines: 100, maxBytes: 10 });
  for (const line of ['aaaa', 'bbbb', 'ééé', 'c']) lines.push(line);
  t.same(lines.tail(100), ['ééé', 'c']);
  lines.push('longer than all of it');
  t.same(lines.tail(100), []);
});
