import t from 'tap';
import { ALARM_CONCERNS, ALARM_LEVELS, ALARM_MESSAGES, alarmOf } from '../../../acra/server/log-concerns.ts';
import { parseAcraLogLine } from '../../../acra/server/log-record.ts';

const record = (fields: Record<string, unknown>) => {
  const text = JSON.stringify({ level: 'error', ...fields });
  return parseAcraLogLine({ text, writtenBytes: text.length, isCut: false });
};

for (const [msg, alarm] of ALARM_MESSAGES) {
  t.test(`raises the alarm "${alarm.concern}" for "${msg}", whatever its code`, async (t) => {
    t.equal(alarmOf(record({ msg })), alarm);
    t.equal(alarmOf(record({ msg, code: 1207 })), alarm);
  });
}

for (const [code, concern] of [
  [900, 'plaintext'],
  [903, 'plaintext'],
  [587, 'poison'],
  [101, 'poison'],
] as const) {
  t.test(`raises the alarm "${concern}" for code ${code}, whatever its message`, async (t) => {
    t.equal(alarmOf(record({ msg: 'another release says it otherwise', code }))?.concern, concern);
  });
}

for (const fields of [
  { msg: "Can't connect to db", code: 540 },
  { msg: 'AcraCensor blocked query', code: 560 },
  { msg: 'Error in tls handshake with client', code: 584 },
  { msg: 'Column count in RowDescription packet not same as parsed query count of columns' },
  { msg: 'Turned on poison record detection', code: 101, level: 'info' },
]) {
  t.test(`raises none for "${fields.msg}"`, async (t) => t.equal(alarmOf(record(fields)), undefined));
}

for (const concern of ALARM_CONCERNS) {
  const level = concern === 'unexamined' ? 'error' : 'fatal';
  t.test(`is ${level} when it is "${concern}"`, async (t) => t.equal(ALARM_LEVELS[concern], level));
}
