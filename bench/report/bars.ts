/**
 * One picture of small charts in rows and columns: bars that lie, one for each contender, with what lies between the least and the most of its
 * rounds as a line. Each chart has its own scale, for its unit is its own. SVG, for light and dark pages.
 */
export interface Bar {
  readonly name: string;
  readonly middle: number;
  readonly least: number;
  readonly most: number;
}

export interface PanelRow {
  /** What is measured, with the unit and which way it is better. */
  readonly title: string;
  readonly digits: number;
  /** One for each column; undefined: not measured. */
  readonly panels: readonly (readonly Bar[] | undefined)[];
}

export interface BarPicture {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly PanelRow[];
  /** Drawn in another colour. */
  readonly ours: string;
}

const NAMES = 150;
const COLUMN = 270;
const GAP = 24;
/** For the number behind a bar. */
const NUMBER = 64;
const LINE = 18;
const HEAD = 62;
const TITLE = 30;

const escapeXml = (text: string) => text.replaceAll(/[<>&"]/g, (each) => `&#${each.charCodeAt(0)};`);
const px = (value: number) => value.toFixed(1);

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .row { font-weight: 600 } .faint { fill: #59636e }
  .bar { fill: #9aa6b2 } .ours { fill: #0a6e8a } .spread { stroke: #1f2328; stroke-width: 1.2; fill: none }
  .rule { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .faint { fill: #9198a1 } .bar { fill: #57606a } .ours { fill: #3fb5d6 }
    .spread { stroke: #e6edf3 } .rule { stroke: #3d444d }
  }`;

/** In the order in which they first stand in any column. */
function namesOf({ panels }: PanelRow): string[] {
  return [...new Set(panels.flatMap((panel) => (panel ?? []).map(({ name }) => name)))];
}

function drawBar(
  { middle, least, most, name }: Bar,
  at: { x: number; y: number; scale: number; digits: number; ours: string },
) {
  const { x, y, scale, digits, ours } = at;
  const end = (value: number) => x + scale * Math.max(0, value);
  const centre = y + LINE / 2;
  const spread = `M${px(end(least))} ${centre}H${px(end(most))}M${px(end(least))} ${centre - 3}v6M${px(end(most))} ${centre - 3}v6`;
  const number = middle.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `  <rect class="bar${name === ours ? ' ours' : ''}" x="${px(x)}" y="${y + 3}" width="${px(end(middle) - x)}" height="${LINE - 6}"/>
  <path class="spread" d="${spread}"/>
  <text x="${px(end(most) + 6)}" y="${centre + 4}">${number}</text>`;
}

function drawRow(row: PanelRow, top: number, { ours }: BarPicture): string[] {
  const names = namesOf(row);
  const y = (name: string) => top + TITLE + LINE * names.indexOf(name);
  const labels = names.map((name) => {
    const weight = name === ours ? ' font-weight="600"' : '';
    return `  <text x="${NAMES - 8}" y="${y(name) + LINE / 2 + 4}" text-anchor="end"${weight}>${escapeXml(name)}</text>`;
  });
  const bars = row.panels.flatMap((panel = [], column) => {
    const most = Math.max(...panel.map((bar) => bar.most), Number.MIN_VALUE);
    const at = { x: NAMES + column * (COLUMN + GAP), scale: (COLUMN - NUMBER) / most, digits: row.digits, ours };
    return panel.map((bar) => drawBar(bar, { ...at, y: y(bar.name) }));
  });
  return [`  <text class="row" x="0" y="${top + 20}">${escapeXml(row.title)}</text>`, ...labels, ...bars];
}

export function drawBars(picture: BarPicture): string {
  const { title, columns, rows } = picture;
  const width = NAMES + columns.length * (COLUMN + GAP);
  let top = HEAD;
  const drawn = rows.flatMap((row) => {
    const own = drawRow(row, top, picture);
    const rule = `  <path class="rule" d="M0 ${top}H${width}"/>`;
    top += TITLE + LINE * namesOf(row).length + 10;
    return [rule, ...own];
  });
  const heads = columns.map((name, column) => {
    return `  <text class="faint" x="${NAMES + column * (COLUMN + GAP)}" y="${HEAD - 10}">${escapeXml(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" role="img" aria-label="${escapeXml(title)}">
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="18">${escapeXml(title)}</text>
  <text class="faint" x="0" y="36">bars: the middle of all rounds; lines: from the least to the most; each chart has its own scale</text>
${[...heads, ...drawn].join('\n')}
</svg>
`;
}
