/** What a client asks of the guard in its start-up packet, as PostgreSQL would read it. */
import t from 'tap';
import { columnFormIn, isOwnSetting } from '../../acra/own-settings.ts';

const formOf = (parameters: Record<string, string>) =>
  columnFormIn({ minor: 0, parameters: new Map(Object.entries(parameters)) });

t.test('takes the last of a name, in any case, and a parameter of the packet before what options say', async (t) => {
  const forms: readonly (readonly [Record<string, string>, string])[] = [
    [{ user: 'app' }, 'decrypted'],
    [{ options: '-c acra_enclave.protected=stored' }, 'stored'],
    [{ options: '--ACRA-enclave.Protected=stored' }, 'stored'],
    [{ 'Acra_Enclave.protected': 'stored' }, 'stored'],
    [{ options: '-c acra_enclave.protected=stored -cacra_enclave.protected=decrypted' }, 'decrypted'],
    [{ 'acra_enclave.protected': 'decrypted', options: '-c acra_enclave.protected=stored' }, 'decrypted'],
    [{ options: '-c other.acra_enclave=x -c work_mem=1' }, 'decrypted'],
  ];
  for (const [parameters, form] of forms) t.equal(formOf(parameters), form, JSON.stringify(parameters));
});

t.test('refuses whatever of ours it does not know (22023)', async (t) => {
  for (const setting of [
    'acra_enclave.protected=Stored',
    'acra_enclave.protected=',
    'acra_enclave.protcted=stored',
    'acra_enclave.=x',
  ]) {
    t.throws(() => formOf({ options: `-c ${setting}` }), { sqlState: '22023', message: /is decrypted or stored here/ });
  }
  t.ok(isOwnSetting('ACRA_enclave.x'));
  t.notOk(isOwnSetting('acra_enclaves.x'));
});
