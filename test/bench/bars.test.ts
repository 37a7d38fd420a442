/** Pictures of what was measured: names as they are, every bar within its own chart, and what was not measured left out. */
import t from 'tap';
import { drawBars, type PanelRow } from '../../bench/report/bars.ts';

const OURS = 'ours';
const bar = (name: string, middle: number, most = middle) => ({ name, middle, least: middle, most });

function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect class="bar[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

function draw(rows: readonly PanelRow[], columns = ['TCP', 'unix']): string {
  return drawBars({ title: 'Relays', columns, rows, ours: OURS });
}

t.test('draws names as they are, for they may hold anything', async (t) => {
  const svg = draw([{ title: 'a <b> & "c"', digits: 1, panels: [[bar('<i>', 5)]] }], ['x>y']);
  t.notMatch(svg, /<[bi]>/);
  t.match(svg, '&#60;i&#62;');
});

t.test('gives each chart its own scale, with the longest spread within it', async (t) => {
  const panels = [[bar(OURS, 5, 10), bar('other', 10)], [bar(OURS, 0.05, 0.1)]];
  const [first, second, third] = widths(draw([{ title: 'trips', digits: 1, panels }]));
  t.equal((second ?? 0) / (first ?? 0), 2);
  t.equal(third, first, 'half of the most in its own chart too');
  t.ok((second ?? 0) < 270);
});

t.test('leaves a place empty where nothing was measured', async (t) => {
  const panels = [undefined, [bar(OURS, 1), bar('only here', 2)]];
  const svg = draw([{ title: 'trips', digits: 0, panels }]);
  t.equal(widths(svg).length, 2);
  t.match(svg, 'only here');
  t.notMatch(svg, 'NaN');
});
