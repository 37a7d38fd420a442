/** One client as a subtest: every check of checks.json is told of, once, and what failed fails the test. */
import type { Test } from 'tap';
import type { ClientTarget } from '../target.ts';
import { CHECKS } from './checklist.ts';
import { keepResult } from './results.ts';
import type { ClientProgram } from './run-client.ts';
import { runClient } from './run-client.ts';

/** What each client says of a certificate that it does not trust, and of nothing else. */
const DISTRUST = /certificate|authority|PKIX|self[- ]signed|UnknownIssuer|BadSignature/i;

/** @param lack why the client is not there; it is skipped by its name */
export async function testClient(t: Test, target: ClientTarget, program: ClientProgram, lack?: string): Promise<void> {
  if (lack !== undefined) {
    t.pass(program.client, { skip: lack });
    return;
  }
  await t.test(program.client, async (t) => {
    await target.reset();
    target.complaints();
    const result = await runClient(target, program);
    keepResult(result);
    t.comment(`${program.client} ${result.about.version}, ${result.about.runtime}; ${result.about.mode}`);
    t.same(
      result.outcomes.map(({ check }) => check),
      CHECKS.map(({ check }) => check),
      'goes through every check, in order',
    );
    for (const { check, ok, detail } of result.outcomes) {
      const demands = CHECKS.find((each) => each.check === check)?.demands ?? check;
      if (ok === null) t.pass(demands, { skip: detail });
      else t.ok(ok, demands, { detail });
      if (check === 'wrong-ca') t.match(detail, DISTRUST, 'refuses it for its certificate');
    }
    await target.untilNoSession();
    t.same(target.complaints(), [], 'ends its sessions in words');
  });
}
