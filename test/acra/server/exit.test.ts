import t from 'tap';
import type { AcraExit, AcraExitCode } from '../../../acra/server/exit.ts';
import { explainExit } from '../../../acra/server/exit.ts';

const exit = (code: number | null, changed: Partial<AcraExit> = {}): AcraExit => ({
  code,
  signal: null,
  requested: false,
  logCodes: new Set(),
  ...changed,
});

const cases: [string, AcraExit, AcraExitCode, 'back-off' | 'never'][] = [
  ['0 that nobody asked for', exit(0), 'ACRA_EXIT_WITHOUT_ERROR', 'back-off'],
  ['0 for an address in use', exit(0, { logCodes: new Set([530]) }), 'ACRA_EXIT_WITHOUT_ERROR', 'back-off'],
  ['0 for a wrong configuration', exit(0, { logCodes: new Set([507]) }), 'ACRA_EXIT_CONFIGURATION', 'never'],
  ['1', exit(1), 'ACRA_EXIT_FAILURE', 'back-off'],
  ['1 for wrong TLS files', exit(1, { logCodes: new Set([532]) }), 'ACRA_EXIT_CONFIGURATION', 'never'],
  ['1 after the database was away', exit(1, { logCodes: new Set([540]) }), 'ACRA_EXIT_FAILURE', 'back-off'],
  ['1 for a poison record', exit(1, { logCodes: new Set([587, 101]) }), 'ACRA_EXIT_POISON_RECORD', 'never'],
  ['2', exit(2), 'ACRA_EXIT_CRASH', 'back-off'],
  ['127', exit(127), 'ACRA_EXIT_NOT_EXECUTED', 'never'],
  ['137', exit(137), 'ACRA_EXIT_KILLED', 'back-off'],
  ['141', exit(141), 'ACRA_EXIT_LOG_PIPE', 'back-off'],
  ['143', exit(143), 'ACRA_EXIT_TERMINATED', 'back-off'],
  ['77', exit(77), 'ACRA_EXIT_UNKNOWN', 'back-off'],
  ['SIGKILL', exit(null, { signal: 'SIGKILL' }), 'ACRA_EXIT_KILLED', 'back-off'],
  ['SIGKILL of ours', exit(null, { signal: 'SIGKILL', wasUnresponsive: true }), 'ACRA_EXIT_UNRESPONSIVE', 'back-off'],
  ['SIGSEGV', exit(null, { signal: 'SIGSEGV' }), 'ACRA_EXIT_CRASH', 'back-off'],
  ['139', exit(139), 'ACRA_EXIT_CRASH', 'back-off'],
  ['SIGPIPE', exit(null, { signal: 'SIGPIPE' }), 'ACRA_EXIT_LOG_PIPE', 'back-off'],
  ['SIGTERM before its handlers', exit(null, { signal: 'SIGTERM' }), 'ACRA_EXIT_TERMINATED', 'back-off'],
  ['0 on request', exit(0, { requested: true }), 'ACRA_EXIT_REQUESTED', 'never'],
  ['1 on request, too slow', exit(1, { requested: true }), 'ACRA_EXIT_REQUESTED', 'never'],
  ['SIGTERM on request', exit(null, { requested: true, signal: 'SIGTERM' }), 'ACRA_EXIT_REQUESTED', 'never'],
];
for (const [what, ended, errorCode, restart] of cases) {
  t.test(`explains exit ${what} as ${errorCode}`, async (t) => {
    t.match(explainExit(ended), { errorCode, restart });
  });
}

t.test('raises an alert for a poison record and nothing else, a stop under way or not', async (t) => {
  const alerts = cases.filter(([, ended]) => explainExit(ended).alert).map(([what]) => what);
  t.same(alerts, ['1 for a poison record']);
  t.equal(explainExit(exit(1, { requested: true, logCodes: new Set([101]) })).alert, true);
});
