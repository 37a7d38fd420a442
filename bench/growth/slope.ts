/** The slope that a few wild values cannot move: the median of those between all pairs of points (Theil 1950, Sen 1968). */
import { median } from '../median.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** NaN of fewer than two points. */
export function theilSen(points: readonly Point[]): number {
  const slopes = points.flatMap((from, at) =>
    points.slice(at + 1).flatMap((to) => (to.x === from.x ? [] : [(to.y - from.y) / (to.x - from.x)])),
  );
  return median(slopes);
}
