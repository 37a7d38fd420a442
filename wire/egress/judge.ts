/**
 * Whether a list lets a target be reached. Pure: both ends ask it, each with its own list. What is denied is denied whatever allows it, names
 * are judged by rules for names and addresses by rules for networks; and an address that a name leads to must pass once more (judgeAddress).
 * Specification: docs/specs/egress.md, 3.
 */
import { matcherOf } from '../networks.ts';
import { type EgressAddress, type SpecialKind, specialKind, specialKindOfNetwork } from './address.ts';
import { type EgressRule, type NameRule, parseEgressRule } from './rule.ts';
import type { EgressTarget } from './target.ts';

export type EgressRefusal = { readonly kind: 'refused' } & (
  | { readonly reason: 'unlisted' }
  | { readonly reason: 'denied'; readonly rule: string }
  | { readonly reason: 'address'; readonly special: SpecialKind }
);
export type EgressVerdict = { readonly kind: 'allowed'; readonly rule: string } | EgressRefusal;

/** A rule that can be asked. */
interface Asked {
  readonly rule: EgressRule;
  /** Of an address as it is judged, or of a name. */
  readonly holds: (host: string) => boolean;
}
export interface EgressList {
  readonly allow: readonly Asked[];
  readonly deny: readonly Asked[];
}

/** @throws EgressError EGRESS_RULE */
export function parseEgressList(texts: {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}): EgressList {
  return { allow: texts.allow.map(asked), deny: texts.deny.map(asked) };
}

function asked(text: string): Asked {
  const rule = parseEgressRule(text);
  return { rule, holds: rule.kind === 'network' ? matcherOf([rule.network]) : (name) => isNamed(rule, name) };
}

function isNamed({ labels, isDeep }: NameRule, name: string): boolean {
  const parts = name.split('.');
  const more = parts.length - labels.length;
  if (isDeep ? more < 1 : more !== 0) return false;
  return labels.every((label, index) => label === '*' || label === parts[more + index]);
}

function find(rules: readonly Asked[], kind: EgressRule['kind'], host: string, port: number): EgressRule | undefined {
  return rules.find(({ rule, holds }) => rule.kind === kind && rule.from <= port && port <= rule.to && holds(host))
    ?.rule;
}

export function judgeTarget(list: EgressList, target: EgressTarget): EgressVerdict {
  if (target.kind === 'address') return judgeLiteral(list, target.address, target.port);
  const denied = find(list.deny, 'name', target.host, target.port);
  if (denied !== undefined) return { kind: 'refused', reason: 'denied', rule: denied.text };
  const allowed = find(list.allow, 'name', target.host, target.port);
  return allowed === undefined ? { kind: 'refused', reason: 'unlisted' } : { kind: 'allowed', rule: allowed.text };
}

function judgeLiteral(list: EgressList, address: EgressAddress, port: number): EgressVerdict {
  const refusal = judgeAddress(list, address, port);
  if (refusal !== undefined) return refusal;
  const allowed = find(list.allow, 'network', address.judged, port);
  return allowed === undefined ? { kind: 'refused', reason: 'unlisted' } : { kind: 'allowed', rule: allowed.text };
}

/**
 * What speaks against an address to which an allowed name leads. Private ones pass, for names within a VPC have such; those of a special kind
 * only where a rule names them or a network of that kind: what is wider was not meant for them.
 */
export function judgeAddress(list: EgressList, { judged }: EgressAddress, port: number): EgressRefusal | undefined {
  const denied = find(list.deny, 'network', judged, port);
  if (denied !== undefined) return { kind: 'refused', reason: 'denied', rule: denied.text };
  const special = specialKind(judged);
  if (special === undefined) return undefined;
  const own = list.allow.filter(
    ({ rule }) => rule.kind === 'network' && specialKindOfNetwork(rule.network) === special,
  );
  const isMeant = special.canBeAllowed && find(own, 'network', judged, port) !== undefined;
  return isMeant ? undefined : { kind: 'refused', reason: 'address', special };
}

/** Ports at which the rules let a name be reached, in order. */
export function portsOfName(list: EgressList, name: string): readonly number[] {
  const ports = new Set<number>();
  for (const { rule, holds } of list.allow) {
    if (rule.kind !== 'name' || !holds(name)) continue;
    for (let port = rule.from; port <= rule.to; port += 1)
      if (judgeTarget(list, { kind: 'name', host: name, port }).kind === 'allowed') ports.add(port);
  }
  return [...ports].toSorted((a, b) => a - b);
}
