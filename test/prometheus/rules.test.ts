/** The files of deploy/monitoring/ in the hands of Prometheus' own tool. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { stringify } from 'yaml';
import { dashboardExpressions } from '../monitoring/dashboard.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FOLDER = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));
const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { cwd: FOLDER });

t.test('has rules that promtool takes', async (t) => {
  t.match((await promtool('check', 'rules', 'acra-enclave.rules.yaml')).stdout, 'SUCCESS');
});

t.test('fires each alert for what it is for, and for nothing else', async (t) => {
  const { stdout } = await promtool('test', 'rules', 'acra-enclave.rules.test.yaml');
  t.match(stdout, 'SUCCESS');
});

t.test('rejects a test that expects an alert which does not fire', async (t) => {
  const file = join(temporaryFolder(t), 'wrong.yaml');
  const expected = {
    eval_time: '9m',
    alertname: 'AcraEnclaveNotReady',
    exp_alerts: [{ exp_labels: { severity: 'page' } }],
  };
  const input = { series: 'acra_enclave_ready{instance="a"}', values: '1x20' };
  const tests = [{ interval: '1m', input_series: [input], alert_rule_test: [expected] }];
  writeFileSync(file, stringify({ rule_files: [join(FOLDER, 'acra-enclave.rules.yaml')], tests }));
  await t.rejects(promtool('test', 'rules', file));
});

t.test('has a dashboard whose every expression Prometheus can read', async (t) => {
  const file = join(temporaryFolder(t), 'dashboard.yaml');
  const rules = dashboardExpressions().map((expression, index) => ({
    record: `dashboard:expression:${index}`,
    expr: expression.replaceAll(/\$(?:job|instance)\b/g, '.*').replaceAll('$__rate_interval', '5m'),
  }));
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
  t.match((await promtool('check', 'rules', file)).stdout, `SUCCESS: ${rules.length} rules found`);
});
