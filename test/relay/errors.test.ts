/** Codes and events are what operators match on. */
import t from 'tap';
import { COUNTER_NAMES, createCounters, readCounters } from '../../relay/counters.ts';
import { RELAY_ERRORS } from '../../relay/errors.ts';
import { RELAY_EVENTS } from '../../relay/events.ts';

t.test('every code and event carries the name of its boundary', async (t) => {
  for (const code of Object.keys(RELAY_ERRORS)) t.match(code, /^RELAY_[A-Z_]+$/);
  for (const event of RELAY_EVENTS) t.match(event, /^relay\.[a-z-]+$/);
  t.equal(new Set(RELAY_EVENTS).size, RELAY_EVENTS.length);
});

t.test('counters start at zero and are read out of shared memory', async (t) => {
  const shared = createCounters();
  t.ok(Object.values(readCounters(shared)).every((value) => value === 0));
  new Float64Array(shared)[COUNTER_NAMES.indexOf('bytesUp')] = 2 ** 40;
  t.equal(readCounters(shared).bytesUp, 2 ** 40);
});
