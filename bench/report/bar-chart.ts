/** A chart of bars that lie, one for each contender, with what lies between the least and the most of its rounds as a line: SVG, for light and dark pages. */

export interface Bar {
  readonly name: string;
  readonly middle: number;
  readonly least: number;
  readonly most: number;
  readonly isOurs: boolean;
}

export interface Chart {
  readonly title: string;
  /** With the unit, and which way it is better. */
  readonly axis: string;
  readonly digits: number;
  readonly bars: readonly Bar[];
}

const WIDTH = 720;
const NAMES = 150;
const VALUES = 90;
const ROW = 28;
const TOP = 56;

const escapeXml = (text: string) => text.replaceAll(/[<>&"]/g, (each) => `&#${each.charCodeAt(0)};`);

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .axis { fill: #59636e }
  .bar { fill: #9aa6b2 } .ours { fill: #0a6e8a } .spread { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .axis { fill: #9198a1 } .bar { fill: #57606a } .ours { fill: #3fb5d6 } .spread { stroke: #e6edf3 }
  }`;

export function barChart({ title, axis, digits, bars }: Chart): string {
  const most = Math.max(...bars.map((bar) => bar.most));
  const room = WIDTH - NAMES - VALUES;
  const at = (value: number) => NAMES + (room * Math.max(0, value)) / most;
  const rows = bars.map(({ name, middle, least, most: farthest, isOurs }, index) => {
    const y = TOP + index * ROW;
    const centre = y + ROW / 2 - 3;
    const px = (value: number) => value.toFixed(1);
    return `  <text x="${NAMES - 8}" y="${centre + 4}" text-anchor="end"${isOurs ? ' font-weight="600"' : ''}>${escapeXml(name)}</text>
  <rect class="bar${isOurs ? ' ours' : ''}" x="${NAMES}" y="${y}" width="${px(at(middle) - NAMES)}" height="${ROW - 8}" rx="2"/>
  <path class="spread" fill="none" d="M${px(at(least))} ${centre}H${px(at(farthest))}M${px(at(least))} ${centre - 4}v8M${px(at(farthest))} ${centre - 4}v8"/>
  <text x="${px(at(farthest) + 8)}" y="${centre + 4}">${middle.toFixed(digits)}</text>`;
  });
  const height = TOP + bars.length * ROW + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(`${title}: ${axis}`)}">
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="18">${escapeXml(title)}</text>
  <text class="axis" x="0" y="38">${escapeXml(axis)}</text>
${rows.join('\n')}
</svg>
`;
}
