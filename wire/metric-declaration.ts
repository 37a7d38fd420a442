/** What is said of a metric before it is counted (wire/metrics.ts). */
export interface MetricDeclaration {
  /** `counter`: only grows, from 0, within the life of its process; for `rate()`. `gauge`: goes up and down. */
  readonly kind: 'counter' | 'gauge';
  /** One sentence without a period. */
  readonly help: string;
  readonly labels: readonly string[];
}
