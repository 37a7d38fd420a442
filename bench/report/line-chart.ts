/** A chart of lines over one axis, each named at its end: SVG, for light and dark pages. */

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Of others than the project. */
  readonly isTheirs: boolean;
}

export interface LineChart {
  readonly title: string;
  /** With the unit of what is upwards. */
  readonly axis: string;
  /** Of what goes to the right. */
  readonly unit: string;
  readonly lines: readonly Line[];
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 44;
const RIGHT = 150;
const TOP = 56;
const BOTTOM = 40;
const TICKS = 4;
/** Between names, which would cover each other where lines end near each other. */
const NAME_ROW = 16;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .axis { fill: #59636e }
  path { fill: none; stroke-width: 1.5 } .grid { stroke: #d1d9e0; stroke-width: 1 } .ours { stroke: #0a6e8a } .theirs { stroke: #9aa6b2 }
  .leader { stroke: #9aa6b2; stroke-width: 0.75 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .axis { fill: #9198a1 } .grid { stroke: #3d444d } .ours { stroke: #3fb5d6 } .theirs { stroke: #57606a } .leader { stroke: #57606a }
  }`;

const escapeXml = (text: string) => text.replaceAll(/[<>&"]/g, (each) => `&#${each.charCodeAt(0)};`);

/** A round number that so many ticks of reach it. */
function step(most: number): number {
  const rough = most / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10);
}

/** Each as near to its line's end as the others let it be. */
function nameRows(ends: readonly number[]): number[] {
  const rows = [...ends];
  const order = ends.map((_, at) => at).toSorted((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0));
  let least = TOP;
  for (const at of order) {
    rows[at] = Math.max(rows[at] ?? 0, least);
    least = (rows[at] ?? 0) + NAME_ROW;
  }
  return rows;
}

export function lineChart({ title, axis, unit, lines }: LineChart): string {
  const all = lines.flatMap(({ points }) => points);
  const mostX = Math.max(...all.map(({ x }) => x));
  const every = step(Math.max(...all.map(({ y }) => y)));
  const mostY = every * Math.ceil(Math.max(...all.map(({ y }) => y)) / every);
  const right = WIDTH - RIGHT;
  const px = (x: number) => LEFT + ((right - LEFT) * x) / mostX;
  const py = (y: number) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * y) / mostY;
  const grid = Array.from({ length: Math.round(mostY / every) + 1 }, (_, at) => at * every).map(
    (y) =>
      `  <path class="grid" d="M${LEFT} ${py(y).toFixed(1)}H${right}"/>\n  <text class="axis" x="${LEFT - 8}" y="${(py(y) + 4).toFixed(1)}" text-anchor="end">${y}</text>`,
  );
  const ends = lines.map(({ points }) => py(points.at(-1)?.y ?? 0));
  const rows = nameRows(ends);
  const drawn = lines.map(({ name, points, isTheirs }, at) => {
    const path = points.map(({ x, y }) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('L');
    const [end = 0, row = 0] = [ends[at], rows[at]];
    return `  <path class="${isTheirs ? 'theirs' : 'ours'}" d="M${path}"/>
  <path class="leader" d="M${right + 2} ${end.toFixed(1)}L${right + 12} ${row.toFixed(1)}"/>
  <text x="${right + 16}" y="${(row + 4).toFixed(1)}">${escapeXml(name)}</text>`;
  });
  const words = (x: number) => `${Math.round(x).toLocaleString('en')}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(`${title}: ${axis}`)}">
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="18">${escapeXml(title)}</text>
  <text class="axis" x="0" y="38">${escapeXml(axis)}</text>
${grid.join('\n')}
${drawn.join('\n')}
  <text class="axis" x="${LEFT}" y="${HEIGHT - 16}">0</text>
  <text class="axis" x="${right}" y="${HEIGHT - 16}" text-anchor="end">${words(mostX)} ${escapeXml(unit)}</text>
</svg>
`;
}
