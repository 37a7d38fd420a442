/**
 * What is watched, in a form that both this daemon and Prometheus can evaluate: the status page shows what pages now, the file
 * deploy/monitoring/acra-enclave.rules.yaml has the same conditions, and a test holds one to the other (docs/monitoring.md).
 */

/** Alternatives of a label's value. */
type Wanted = string | readonly string[];

/** Series of one metric, by its name without prefix. */
export interface Selected {
  readonly metric: string;
  readonly labels?: Readonly<Record<string, Wanted>>;
}

export type Condition =
  /** A series is above (below) a value. */
  | (Selected & { readonly kind: 'above' | 'below'; readonly value: number })
  /** A counter, its series added up by `by`, grew by more than `value` in that time. */
  | (Selected & {
      readonly kind: 'grew';
      readonly value: number;
      readonly withinMs: number;
      readonly by: readonly string[];
    })
  /** A series is above `factor` times another, each of those that have one only. */
  | (Selected & { readonly kind: 'exceeds'; readonly factor: number; readonly other: Selected })
  /** A point in time, in seconds since the epoch, lies less than that ahead. */
  | (Selected & { readonly kind: 'ends-within'; readonly withinMs: number });

/** `page`: somebody must look now. `ticket`: somebody must look on a working day. */
export const SEVERITIES = ['page', 'ticket'] as const;

export interface Watch {
  /** As Prometheus calls it. */
  readonly alert: string;
  readonly severity: (typeof SEVERITIES)[number];
  /** A file of docs/runbooks, without `.md`; `code`: the one of the error code that stands in the label `code`. */
  readonly runbook: string | { readonly label: 'code' };
  /** One line without a period. */
  readonly summary: string;
  /** What it means and what to do first. */
  readonly description: string;
  readonly condition: Condition;
  /** So long it must hold without a pause. */
  readonly forMs: number;
}
