/** Runbooks are read at three in the morning: each is whole, listed, and names commands, codes, metrics and records that exist. */
import t from 'tap';
import { ALARM_CONCERNS, type AlarmConcern } from '../../acra/server/log-concerns.ts';
import { CATALOGUES } from '../../cli/error-advice.ts';
import { RULES } from '../../cli/monitoring/rules.ts';
import { WATCHES } from '../../host-proxy/operator/alarms/watches.ts';
import { commandFault, commandsIn, shellLinesIn } from './documented-commands.ts';
import { filesOf, readSource } from './imports.ts';

const INDEX = 'docs/runbooks.md';
const SECTIONS = ['What it means', 'For applications', 'Confirm', 'Do', 'Do not', 'Security', 'It is over when'];
const MAX_LINES = 60;
const CODES = new Set(Object.values(CATALOGUES).flatMap((catalogue) => Object.keys(catalogue)));
const METRICS = readSource('docs/metrics.md');
const SOURCES = filesOf(['acra', 'host-proxy', 'sessions', 'supervisor'], '.ts').map(readSource).join('\n');

const pages = filesOf(['docs/runbooks'], '.md').map((file) => ({
  file,
  name: file.slice('docs/runbooks/'.length, -'.md'.length),
  text: readSource(file),
}));
const each = (find: (page: (typeof pages)[number]) => readonly string[]) =>
  pages.flatMap((page) => find(page).map((found) => `${page.name}: ${found}`));

/** By page, its alerts. */
const listed = new Map(
  [...readSource(INDEX).matchAll(/^\| \[`([^`]+)`\]\(runbooks\/([^)]+)\.md\) \| ([^|]+) \|/gm)].map(
    ([, name = '', file = '', alerts = '']) => {
      if (name !== file) throw new Error(`${INDEX}: ${name} leads to ${file}`);
      return [name, alerts.replaceAll('`', '')];
    },
  ),
);

t.test('keeps a page for each entry of the list, and an entry with its alerts for each page', async (t) => {
  t.ok(pages.length > 80);
  t.same([...listed.keys()].toSorted(), pages.map(({ name }) => name).toSorted());
  for (const { name, text } of pages)
    t.equal(/^Alert: (.+)$/m.exec(text)?.[1]?.replaceAll('`', ''), listed.get(name), name);
});

/** What can page, by the page that it leads to: those of an alert of many codes are the codes that its condition names. */
function alertsByPage(): Map<string, string> {
  const codesOf = new Map(
    WATCHES.map(({ alert, condition: { labels } }) => [alert, [labels?.['code'] ?? []].flat()] as const),
  );
  const led = RULES.flatMap(({ alert, annotations }) => {
    const name = annotations.runbook_url.slice('docs/runbooks/'.length, -'.md'.length);
    return name.startsWith('{{')
      ? (codesOf.get(alert) ?? []).map((code) => ({ page: code, alert }))
      : [{ page: name, alert }];
  });
  return new Map(
    [...Map.groupBy(led, ({ page }) => page)].map(([page, those]) => [
      page,
      those
        .map(({ alert }) => alert)
        .toSorted()
        .join(', '),
    ]),
  );
}

t.test('keeps a page for everything that can page, and no page that nothing leads to', async (t) => {
  const alerts = (text: string) => text.trim().split(/, */).toSorted().join(', ');
  const told = new Map([...listed].map(([name, of]) => [name, alerts(of)]));
  const sorted = (pages: Map<string, string>) => [...pages].toSorted(([a], [b]) => (a < b ? -1 : 1));
  t.same(sorted(told), sorted(alertsByPage()));
});

t.test('keeps every page whole and short, under the name of a code or of an alert', async (t) => {
  for (const { name, text } of pages)
    t.same(
      [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title),
      SECTIONS,
      name,
    );
  t.same(
    each(({ text }) => (text.split('\n').length > MAX_LINES ? ['too long'] : [])),
    [],
  );
  t.same(
    each(({ name }) => (/^[A-Z_]+$/.test(name) && !CODES.has(name) ? ['no such code'] : [])),
    [],
  );
});

/** The compiler wants one for each. */
const PAGE_OF: Readonly<Record<AlarmConcern, string>> = {
  plaintext: 'plaintext',
  unread: 'plaintext',
  poison: 'ACRA_EXIT_POISON_RECORD',
  undetected: 'undetected',
  unexamined: 'unexamined',
};

t.test('keeps a page for every alarm of acra-server’s log', async (t) => {
  for (const concern of ALARM_CONCERNS) t.ok(listed.has(PAGE_OF[concern]), concern);
});

t.test('keeps commands in pages to those that there are, with their flags', async (t) => {
  const uses = pages.flatMap(({ name, text }) => commandsIn(text).map((words) => ({ name, words })));
  t.ok(uses.length > 100);
  const faults = await Promise.all(
    uses.map(async ({ name, words }) => {
      const fault = await commandFault(words);
      return fault === undefined ? [] : [`${name}: ${words.join(' ')}: ${fault}`];
    }),
  );
  t.same(faults.flat(), []);
});

t.test('keeps codes, records and metrics in pages to those that there are', async (t) => {
  const codesIn = (text: string) => [...text.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([code]) => code);
  const placeholders = ['KEY_ARN', 'ROLE_ARN', 'LAUNCH_TEMPLATE'];
  t.same(
    each(({ text }) => codesIn(text).filter((code) => !CODES.has(code) && !placeholders.includes(code))),
    [],
  );
  const shown = (text: string, what: RegExp) =>
    shellLinesIn(text).flatMap((line) => [...line.matchAll(what)].map(([, found = '']) => found));
  const records = each(({ text }) =>
    shown(text, /grep -F ([a-z-]+\.[a-z-]*)/g).filter((record) => !SOURCES.includes(`'${record}`)),
  );
  t.same(records, []);
  const metrics = each(({ text }) =>
    shown(text, /metrics \| grep (?:-E '([^']+)'|\S+)/g)
      .concat(shown(text, /metrics \| grep ([a-z_]+)/g))
      .filter((metric) => metric !== '' && !new RegExp(metric).test(METRICS)),
  );
  t.same(metrics, []);
  const paths = ['/', '/healthz', '/readyz', '/metrics', '/status'];
  t.same(
    each(({ text }) =>
      [...text.matchAll(/(?:127\.0\.0\.1|localhost):9464(\/[a-z]*)/g)].flatMap(([, path = '']) =>
        paths.includes(path) ? [] : [path],
      ),
    ),
    [],
  );
});

t.test('sees a command that is gone, and a flag that is', async (t) => {
  const text =
    '```sh\nacra-enclave status | grep x\nsudo acra-enclave \\\n  keys list --nothing\n```\n`acra-enclave fly`\n';
  t.same(commandsIn(text), [['status'], ['keys', 'list', '--nothing'], ['fly']]);
  t.same(await Promise.all([...commandsIn(text), ['keys', 'burn']].map(commandFault)), [
    undefined,
    'list has no --nothing',
    'there is no command fly',
    'keys has no command burn',
  ]);
});
