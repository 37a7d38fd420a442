import t from 'tap';
import { judgeProgramExit } from '../../../../supervisor/workloads/app/program-exit.ts';

t.test('tells an exit code, a signal by name and number, and memory that ran out', async (t) => {
  t.match(judgeProgramExit({ code: 3, signal: null }, false, true), {
    code: 'PROGRAM_ENDED',
    meaning: 'it ended with exit code 3',
    restart: true,
    alert: false,
  });
  t.match(judgeProgramExit({ code: null, signal: 'SIGSEGV' }, false, true), {
    code: 'PROGRAM_KILLED',
    meaning: 'SIGSEGV ended it (signal 11, exit code 139)',
  });
  t.match(judgeProgramExit({ code: null, signal: 'SIGKILL' }, true, true), { code: 'PROGRAM_OUT_OF_MEMORY' });
});

t.test('starts again what may be, unless it can never be executed', async (t) => {
  t.equal(judgeProgramExit({ code: 0, signal: null }, false, false).restart, false);
  const notLaunched = { step: 'execute', errno: 'ENOENT' } as const;
  t.match(judgeProgramExit({ code: 71, signal: null, notLaunched }, false, true), {
    code: 'CHILD_LAUNCH_FAILED',
    restart: false,
  });
  const passing = { step: 'execute', errno: 'ENOMEM' } as const;
  t.equal(judgeProgramExit({ code: 71, signal: null, notLaunched: passing }, false, true).restart, true);
});
