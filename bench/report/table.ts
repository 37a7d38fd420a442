/** Tables of Markdown. */
import { MEASURES, type MeasureName } from './measures.ts';
import type { Results, Subject } from './results.ts';

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Who, and each measure with its middle, its spread, and what it is beside ours. @param ours whose numbers the others are divided by */
export function markdownTable(
  results: Results,
  subject: Subject,
  measures: readonly MeasureName[],
  ours: string,
): string {
  const head = ['', ...measures.map((name) => MEASURES[name].title)];
  const rows = results.whoIn(subject).map((who) => {
    const cells = measures.map((name) => {
      const { digits } = MEASURES[name];
      const { middle, least, most } = results.summary(subject, who, name);
      const own = results.summary(subject, ours, name).middle;
      const beside = who === ours || own === 0 || Number.isNaN(own) ? '' : ` · ${(middle / own).toFixed(2)}`;
      return Number.isNaN(middle)
        ? '–'
        : `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})${beside}`;
    });
    return [who === ours ? `**${who}**` : who, ...cells];
  });
  return tableOf(head, rows);
}
