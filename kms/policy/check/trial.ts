/** What a check tries a live policy with: who asks, with which documents and contexts, and where findings go. */
import type { Policy } from '../language/document.ts';
import type { Caller } from '../language/principal.ts';
import type { Comparer } from './compare.ts';
import type { Context } from './contexts.ts';
import type { Values } from './documents.ts';
import type { Report } from './report.ts';

export interface Trial {
  readonly live: Policy;
  readonly comparer: Comparer;
  readonly callers: readonly Caller[];
  readonly roleArn: string;
  readonly expected: readonly Values[];
  /** The enclave's first. */
  readonly contexts: readonly Context[];
  /** Of these, those that the enclave has its keys opened under. */
  readonly own: readonly Context[];
  readonly keysBornInEnclave: boolean;
  readonly report: Report;
}
