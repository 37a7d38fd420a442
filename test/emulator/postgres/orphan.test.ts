import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { closed } from '../../support/closed.ts';
import { processEnd } from '../../support/process-end.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { PATH = '' } = process.env;
const hasSetpriv = PATH.split(delimiter).some((folder) => existsSync(join(folder, 'setpriv')));

t.test('PostgreSQL ends when its parent is killed', { skip: !hasSetpriv && 'setpriv is not installed' }, async (t) => {
  const program = join(import.meta.dirname, '../support/orphan-postgres.ts');
  const parent = spawn(process.execPath, [program, join(temporaryFolder(t), 'postgres')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const [line] = await once(createInterface(parent.stdout), 'line');
  const { port, pid } = JSON.parse(line);
  const session = connect(port, '127.0.0.1');
  await once(session, 'connect');
  t.ok(existsSync(`/proc/${pid}`));
  parent.kill('SIGKILL');
  await Promise.all([closed(session), processEnd(pid)]);
});
