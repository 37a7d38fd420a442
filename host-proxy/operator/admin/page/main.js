/**
 * Keeps the status page up to date: asks for the status document every two seconds. Figures that are not of now are never shown as if they
 * were: when the daemon does not answer, the page says so, since when, and what stands below is marked as old.
 *
 * @import { HostStatus } from '../../host-status.ts'
 */
import { byId, fillPairs, fillRows, markScrollers, setText } from './dom.js';
import { sectionsOf } from './sections.js';
import { duration, time } from './words.js';

const POLL_MS = 2_000;
const PATIENCE_MS = 4_000;
/** Also where nobody asked meanwhile: a computer slept, or a browser held a tab in the background. */
const OLD_MS = 8_000;
const TICK_MS = 1_000;

const NOTHING_THERE = /** @type {Readonly<Record<string, string>>} */ ({
  alarms: 'None.',
  boot: 'The enclave has not told.',
  refused: 'None.',
  identities: 'None is served now.',
  routes: 'None.',
  refusals: 'None.',
  programs: 'None is known now.',
  certificates: 'None is known now.',
  measurements: 'The enclave has not told.',
});

/** @type {{ status: HostStatus, monotonicMs: number, wallMs: number } | undefined} */
let last;
/** What was wrong with the last question; undefined when it was answered. */
/** @type {string | undefined} */
let failure;
let isAsking = false;

/** A clock of the computer may stand while it sleeps, or be set: the larger of both ages is believed. */
const ageMs = () => (last === undefined ? 0 : Math.max(performance.now() - last.monotonicMs, Date.now() - last.wallMs));

/** @param {HostStatus} status */
function show(status) {
  const { headline, note, rows, pairs } = sectionsOf(status);
  document.body.dataset['tone'] = headline.tone;
  setText(byId('symbol'), headline.symbol);
  setText(byId('state'), headline.state);
  setText(byId('reason'), headline.reason);
  document.title = headline.title;
  for (const element of document.querySelectorAll('[data-note]')) setText(element, note);
  for (const body of document.querySelectorAll('tbody')) {
    const name = body.dataset['rows'] ?? '';
    fillRows(body, rows[name] ?? [], NOTHING_THERE[name] ?? '');
  }
  for (const list of document.querySelectorAll('dl')) fillPairs(list, pairs[list.dataset['pairs'] ?? ''] ?? []);
  markScrollers();
}

/** Says how old the figures are, and gives up the state that can no longer be told. */
function showAge() {
  const age = ageMs();
  const isFresh = last !== undefined && failure === undefined && age < OLD_MS;
  document.body.dataset['fresh'] = isFresh ? 'yes' : 'no';
  const at = last === undefined ? undefined : time(last.status.nowMs);
  if (isFresh) {
    setText(byId('lost'), '');
    setText(byId('age'), `As of ${at}; asked again every ${duration(POLL_MS)}.`);
    return;
  }
  if (failure === undefined && last === undefined) return;
  const why = failure ?? 'nothing was asked meanwhile';
  const old = at === undefined ? 'There are no figures yet.' : `The figures below are of ${at} and not of now.`;
  setText(byId('lost'), `No connection to the daemon (${why}). ${old}`);
  setText(byId('age'), at === undefined ? 'Asking again.' : `${duration(age)} old. Asking again.`);
  document.body.dataset['tone'] = 'unknown';
  setText(byId('symbol'), '?');
  setText(byId('state'), 'Not known now');
  setText(byId('reason'), last === undefined ? '' : `It was: ${sectionsOf(last.status).headline.state}`);
  document.title = 'No connection · acra-enclave';
}

/** @param {unknown} error */
function describe(error) {
  if (!(error instanceof Error)) return 'it failed';
  return error.name === 'TimeoutError' ? `no answer within ${duration(PATIENCE_MS)}` : error.message;
}

async function ask() {
  if (isAsking) return;
  isAsking = true;
  try {
    const response = await fetch('/status', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) throw new TypeError(`it answers ${response.status}`);
    /** @type {HostStatus} */
    const status = await response.json();
    // The page is of one release with the daemon that gave it.
    if (last !== undefined && last.status.release !== status.release) location.reload();
    show(status);
    last = { status, monotonicMs: performance.now(), wallMs: Date.now() };
    failure = undefined;
  } catch (error) {
    failure = describe(error);
  } finally {
    isAsking = false;
    showAge();
  }
}

setInterval(ask, POLL_MS);
setInterval(showAge, TICK_MS);
document.addEventListener('visibilitychange', () => {
  showAge();
  if (document.visibilityState === 'visible') void ask();
});
addEventListener('resize', markScrollers);
void ask();
