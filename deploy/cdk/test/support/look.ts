/** Looking at templates: resources by type, values by path, and every string that stands anywhere. */
import type { Json, Resource, Synthesized } from './synthesized.ts';

export function ofType({ resources }: Pick<Synthesized, 'resources'>, type: string): readonly Resource[] {
  return resources.filter((resource) => resource.type === type);
}

/** Undefined where a step is missing; a number steps into a list. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, step) : undefined),
    value,
  );
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value as Json];
}

export function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** Of attributes that are lists of Key and Value. */
export function attributesOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(list(value).map(({ Key, Value }) => [Key as string, Value]));
}

/** A text that CloudFormation joins, with NAME in the place of what it knows only later. */
export function textOf(value: unknown, name = 'later.example.com'): string {
  if (typeof value === 'string') return value;
  const parts = at(value, 'Fn::Join', 1);
  return Array.isArray(parts) ? parts.map((part) => (typeof part === 'string' ? part : name)).join('') : name;
}

/** The text of user data. */
export const userDataOf = ({ properties }: Resource) =>
  textOf(at(properties, 'LaunchTemplateData', 'UserData', 'Fn::Base64'));
