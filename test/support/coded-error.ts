/** Asserts the class and the stable code of an error, never its prose. */
import type { CodedError } from '../../runtime/errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: constructor signatures of the error classes differ only in their code union
type ErrorClass = abstract new (...args: any[]) => CodedError;

function check(error: unknown, errorClass: ErrorClass, code: string): void {
  if (error instanceof errorClass && error.code === code) return;
  const found =
    error instanceof Error ? `${error.name} ${'code' in error ? String(error.code) : '(no code)'}` : String(error);
  throw new Error(`expected ${errorClass.name} ${code}, got ${found}`, { cause: error });
}

/** Runs `action` and returns the coded error that it must throw. */
export function throwsCode<E extends CodedError>(
  action: () => unknown,
  errorClass: abstract new (...args: never[]) => E,
  code: E['code'],
): E {
  try {
    action();
  } catch (error) {
    check(error, errorClass as unknown as ErrorClass, code);
    return error as E;
  }
  throw new Error(`expected ${code}, but nothing was thrown`);
}

/** The same for promises. */
export async function rejectsCode<E extends CodedError>(
  action: () => Promise<unknown>,
  errorClass: abstract new (...args: never[]) => E,
  code: E['code'],
): Promise<E> {
  try {
    await action();
  } catch (error) {
    check(error, errorClass as unknown as ErrorClass, code);
    return error as E;
  }
  throw new Error(`expected ${code}, but the promise was fulfilled`);
}
