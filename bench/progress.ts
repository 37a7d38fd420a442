/** What a benchmark is doing, on standard error: its results alone go to standard output. */
export function tell(progress: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${progress}`);
}
