/** The KMS proxy survives a shortage of descriptors: in Enclaver its listener ends at the first error of accept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import { errorCode } from '../../runtime/errors.ts';

const MAX_DESCRIPTORS = 64;
const CLIENTS = 200;

/** Until the door has seen that they are gone, it lets go whoever comes. */
async function answered(port: unknown) {
  for (;;) {
    try {
      return await request(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}', reset: true });
    } catch (error) {
      if (errorCode(error) !== 'UND_ERR_SOCKET' && errorCode(error) !== 'ECONNRESET') throw error;
    }
  }
}

t.test('goes on answering programs after it had no descriptor left for a connection', async (t) => {
  const script = new URL('support/limited-door.ts', import.meta.url).pathname;
  // Node itself raises the soft limit to the hard one, so the shell sets both.
  const command = `ulimit -n ${MAX_DESCRIPTORS}; exec "$0" "$@"`;
  const door = spawn('/bin/sh', ['-c', command, process.execPath, script], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.teardown(() => door.kill('SIGKILL'));
  const [port] = await once(door, 'message');
  const clients = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  // Those for whom there is no descriptor are let go at once, or wait in the kernel's queue.
  await Promise.race(clients.map((client) => once(client, 'close')));
  for (const client of clients) client.destroy();
  const { statusCode, body } = await answered(port);
  t.equal(statusCode, 200);
  t.equal(await body.text(), '{}');
});
