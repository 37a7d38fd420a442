import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import { ConsoleLog } from '../../../host-proxy/machine/console-log.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

t.test('goes on in a new file when the file of the console was renamed', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'console.log');
  const console = new ConsoleLog(file);
  t.teardown(() => console.close());
  console.push('one');
  renameSync(file, join(folder, 'console.log.1'));
  console.reopen();
  t.equal(readFileSync(file, 'utf8'), '', 'told so, even before the next line');
  console.push('two');
  t.same([readFileSync(join(folder, 'console.log.1'), 'utf8'), readFileSync(file, 'utf8')], ['one\n', 'two\n']);
  t.same(console.recent.tail(10), ['one', 'two']);
});

t.test('rejects a file that cannot be opened (HOST_LOG_FILE)', async (t) => {
  t.ok(throwsCode(() => new ConsoleLog('/nonexistent/console.log'), HostProxyError, 'HOST_LOG_FILE').cause);
});
