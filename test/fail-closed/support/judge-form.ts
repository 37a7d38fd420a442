/** What a form must come to through the guard: stored encrypted and read back, or refused, and nothing in plaintext either way. */
import type { Test } from 'tap';
import type { Form } from './form.ts';
import { observe, type Place, PROTOCOLS, type Protocol } from './run-form.ts';

const REFUSED = ['0A000', '42000', '42501'];

export async function requireProtected(
  t: Test,
  place: Place,
  form: Form,
  protocols: readonly Protocol[] = PROTOCOLS,
): Promise<void> {
  for (const protocol of form.isSimpleOnly ? (['simple'] as const) : protocols) {
    const { outcome, isOnWire, isAtRest, left } = await observe(place, form, protocol);
    t.notOk(isAtRest, `${protocol}: no plaintext at rest`);
    if (!form.saysInClear) t.notOk(isOnWire, `${protocol}: no plaintext on the wire`);
    if (form.ends === 'refused') {
      t.match(outcome, { kind: 'failed', message: /^refused by acra-enclave: / }, protocol);
      t.ok(outcome.kind === 'failed' && REFUSED.includes(outcome.sqlState), protocol);
      continue;
    }
    t.match(outcome, { kind: 'works', ...(form.rows && { rows: form.rows }) }, protocol);
    for (const [id, values] of Object.entries(form.leaves ?? {}))
      t.same(left[Number(id)], values, `${protocol}: row ${id}`);
  }
}
