/** A real Prometheus beside a real daemon: every rule is evaluated, and an enclave that is killed fires what it should. */
import t from 'tap';
import { RULES } from '../../cli/monitoring/rules.ts';
import { servingStack } from '../support/stack.ts';
import { firing, startPrometheus } from './support.ts';

const wait = () => AbortSignal.timeout(90_000);

t.test(
  'evaluates every rule without an error, is quiet while all is well, and tells of a killed enclave until it is back',
  async (t) => {
    const { stack } = await servingStack(t);
    const { enclave } = stack;
    const prometheus = await startPrometheus(t, new URL(enclave.adminUrl).host);
    const well = await prometheus.until(
      (rules) =>
        rules.length === RULES.length && rules.every(({ health, state }) => health === 'ok' && state === 'inactive'),
      wait(),
    );
    t.equal(well.length, RULES.length);

    enclave.supervisor?.kill('SIGKILL');
    const lost = ['AcraEnclaveLost', 'AcraEnclaveNotReady', 'AcraEnclaveOutage'];
    const told = await prometheus.until((rules) => lost.every((alert) => firing(rules).includes(alert)), wait());
    const outage = told.find(({ name }) => name === 'AcraEnclaveOutage');
    t.equal(outage?.alerts[0]?.labels['code'], 'HOST_ENCLAVE_UNHEARD');
    enclave.startSupervisor();
    await prometheus.until((rules) => rules.length > 0 && firing(rules).length === 0, wait());

    await enclave.hostProxy?.stop();
    const down = await prometheus.until((rules) => firing(rules).includes('AcraEnclaveDown'), wait());
    t.notOk(firing(down).includes('AcraEnclaveAbsent'), 'the target is known');
  },
);
