/**
 * Programs that give whoever starts them the rights of another: set-id bits and file capabilities. Base images bring a dozen that no
 * application needs; which of the three is meant must be said. An enclave image has no place for capabilities, so they are never kept.
 */
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { OciError } from '../errors.ts';
import type { FileNode, PlacedNode } from './nodes.ts';

export const SETUID_CHOICES = ['refuse', 'drop', 'keep'] as const;
export type SetuidChoice = (typeof SETUID_CHOICES)[number];

const SET_ID = 0o6000;
const MAX_NAMED = 20;

/** @returns the paths whose rights are dropped @throws OciError EIF_OCI_PRIVILEGE */
export function judgePrivileges(nodes: Iterable<PlacedNode>, choice: SetuidChoice): readonly string[] {
  const privileged: string[] = [];
  const capable: string[] = [];
  for (const { path, node } of nodes) {
    if (node.kind !== 'file') continue;
    if (hasSetId(node)) privileged.push(path);
    if (node.inode.isCapable) capable.push(path);
  }
  const refused = choice === 'refuse' ? [...privileged, ...capable] : choice === 'keep' ? capable : [];
  if (refused.length === 0) return choice === 'drop' ? [...privileged, ...capable] : [];
  throw new OciError('EIF_OCI_PRIVILEGE', 'the image has programs that run with rights of others', {
    found: namedSome(refused),
    allowed:
      choice === 'keep'
        ? 'set-id bits; file capabilities have no place in an enclave image'
        : 'none, or setuid: drop (or keep)',
  });
}

function hasSetId({ inode }: FileNode): boolean {
  return (inode.mode & SET_ID) !== 0 && (inode.mode & 0o111) !== 0;
}

/** The mode that a file gets. */
export function grantedMode({ mode }: { readonly mode: number }, choice: SetuidChoice): number {
  return choice === 'keep' ? mode : mode & ~SET_ID;
}

/** A list for people that does not fill their screen. */
export function namedSome(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_NAMED).map((path) => `/${harmlessText(path)}`);
  return paths.length > MAX_NAMED ? `${named.join(', ')} and ${paths.length - MAX_NAMED} more` : named.join(', ');
}
