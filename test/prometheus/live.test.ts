/** A real Prometheus beside a real daemon: every rule is evaluated, and an enclave that is killed fires what it should. */
import t from 'tap';
import { RULES } from '../../cli/monitoring/rules.ts';
import { readDashboard } from '../monitoring/dashboard.ts';
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

/** Of a quiet enclave with its keys in the image, whose machine the test runs itself. */
const NOTHING_HERE: readonly string[] = [
  'Alerts that fire: {{severity}}',
  'Why applications cannot connect: {{instance}} {{code}}',
  'Starts of the machine: {{instance}}',
  'Key sets: {{instance}} {{of}}',
  'Operations on keys: {{operation}} {{outcome}}',
];

t.test('shows something in every panel of the dashboard that is for what this enclave has', async (t) => {
  const { stack } = await servingStack(t);
  const prometheus = await startPrometheus(t, new URL(stack.enclave.adminUrl).host);
  const asked = new Map(
    readDashboard().panels.flatMap(({ title, targets }) =>
      (targets ?? []).map(({ expr, legendFormat }) => [
        expr.replaceAll(/\$(?:job|instance)\b/g, '.*').replaceAll('$__rate_interval', '20s'),
        `${title}: ${legendFormat}`,
      ]),
    ),
  );
  const patience = wait();
  await prometheus.until((rules) => rules.length > 0, patience);
  const empty = await prometheus.untilShown([...asked.keys()], NOTHING_HERE.length, patience);
  t.same(
    empty.map((expression) => asked.get(expression)),
    NOTHING_HERE,
  );
});
