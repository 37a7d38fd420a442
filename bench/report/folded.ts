/** Tables that few readers want to see: the page shows their title, and them when it is clicked at. */
export function folded(title: string, ...blocks: readonly string[]): string {
  return ['<details>', `<summary>${title}</summary>`, '', blocks.join('\n\n'), '', '</details>'].join('\n');
}
