/** Ways in open when programs are ready, not before: Enclaver accepts clients and drops them. */
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../../emulator/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AppPair, textOf } from './support/serving-app.ts';

t.test('opens no way in before the program behind it is ready', async (t) => {
  const [inside, outside] = [await freePort(), await freePort()];
  const gate = join(temporaryFolder(t), 'gate');
  writeFileSync(gate, '');
  const script = `
    const { existsSync } = require('fs');
    const listen = () => existsSync('${gate}') ? setTimeout(listen, 20)
      : require('net').createServer((socket) => socket.end('served')).listen(${inside}, '127.0.0.1');
    console.log('starting'); listen();`;
  const app = await AppPair.start(t, {
    enclave: {
      programs: { one: { command: [process.execPath, '-e', script], probe: { tcp: `tcp://127.0.0.1:${inside}` } } },
      ingress: { web: { to: `tcp://127.0.0.1:${inside}`, vsockPort: 18_500 } },
    },
    host: { ingress: { web: { listen: `tcp://127.0.0.1:${outside}`, vsockPort: 18_500 } } },
  });
  await app.untilRecord('program.output', (line) => textOf(line) === 'starting');
  const early = connect(outside, '127.0.0.1');
  const [refused] = await once(early, 'error');
  t.equal(refused.code, 'ECONNREFUSED', 'nobody listens yet');
  rmSync(gate);
  await app.ready();
  const client = connect(outside, '127.0.0.1').setEncoding('utf8');
  const [said] = await once(client, 'data');
  t.equal(said, 'served');
});
