/** Tricky targets through both ends, as CONNECT and as URLs: what one list refuses never passes, whatever the other allows. */
import t from 'tap';
import { TRICKY_ADDRESSES } from '../../wire/egress/support/tricky-addresses.ts';
import { TRICKY_LIST, type TrickyVerdict } from '../../wire/egress/support/tricky-list.ts';
import { TRICKY_NAMES } from '../../wire/egress/support/tricky-names.ts';
import { startEnds } from './support/both-ends.ts';
import { say } from './support/raw-client.ts';

const TRICKY = [...TRICKY_NAMES, ...TRICKY_ADDRESSES];
/** For names every port; for addresses all that a rule can allow. */
const EVERYTHING = [
  ...['com', 'example'].flatMap((last) => [`*.${last}:1-65535`, `**.${last}:1-65535`]),
  'com:1-65535',
  '0.0.0.0/0:1-65535',
  '[::/0]:1-65535',
  '127.0.0.0/8:1-65535',
  '169.254.0.0/16:1-65535',
  '[::1]:1-65535',
  '[fe80::/10]:1-65535',
  '[fd00:ec2::/32]:1-65535',
];

type Expected = readonly [status: number, code: string];
const BY_ENCLAVE: Readonly<Record<TrickyVerdict, Expected>> = {
  allowed: [403, 'EGRESS_HOST_UNLISTED'],
  unlisted: [403, 'EGRESS_UNLISTED'],
  denied: [403, 'EGRESS_DENIED'],
  address: [403, 'EGRESS_ADDRESS'],
  malformed: [400, 'EGRESS_TARGET'],
};

/** In bytes that a parser of HTTP takes for the target of a request: others end in EGRESS_REQUEST. */
const isWritable = (authority: string) => /^[\x21-\x7e]+$/.test(authority) && !/["\\<>^`{|}]/.test(authority);

function saidOf(answer: string): Expected {
  const { error } = JSON.parse(answer.slice(answer.indexOf('{')));
  return [Number(answer.split(' ')[1]), error.code];
}

t.test('holds the enclave’s list, and asks the parent for what that allows alone', async (t) => {
  const { port, host } = await startEnds(t, { enclave: TRICKY_LIST, host: { allow: [] } });
  let allowed = 0;
  for (const [authority, verdict, why] of TRICKY) {
    const said = saidOf(await say(port, `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`));
    // Of spaces before a target a parser takes several for one.
    if (authority.startsWith(' ')) t.not(said[0], 200, why);
    else if (!isWritable(authority)) t.equal(said[0], 400, `${JSON.stringify(authority)}: ${why}`);
    // A parser may refuse it before we do.
    else if (verdict === 'malformed') t.match(said, [400, /^EGRESS_(TARGET|REQUEST)$/], `${authority}: ${why}`);
    // An address of the machine or its link must be named by the host too.
    else if (/^(127|169)\./.test(authority) && verdict === 'allowed') t.same(said, [403, 'EGRESS_ADDRESS']);
    else t.same(said, BY_ENCLAVE[verdict], `${authority}: ${why}`);
    if (verdict === 'allowed' && isWritable(authority)) allowed += 1;
  }
  const spaced = TRICKY.filter(([authority]) => authority.startsWith(' ')).length;
  t.same(host.status.outcomes, { unlisted: allowed + spaced - 2, address: 2 });
});

t.test('holds it for URLs too', async (t) => {
  const { port } = await startEnds(t, { enclave: TRICKY_LIST, host: { allow: [] } });
  for (const [authority, verdict, why] of TRICKY) {
    // What ends an authority begins a path, and what has no port has the one of http.
    if (!isWritable(authority) || /[/?#]/.test(authority) || !/:\d+$/.test(authority)) continue;
    const said = saidOf(await say(port, `GET http://${authority}/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n`));
    if (verdict === 'malformed') t.match(said, [400, /^EGRESS_(TARGET|REQUEST)$/], `${authority}: ${why}`);
    else if (/^(127|169)\./.test(authority) && verdict === 'allowed') t.same(said, [403, 'EGRESS_ADDRESS']);
    else t.same(said, BY_ENCLAVE[verdict], `${authority}: ${why}`);
  }
});

t.test('holds the host’s list in the same way, for an enclave that allows all', async (t) => {
  const { port, enclave } = await startEnds(t, { enclave: { allow: EVERYTHING }, host: TRICKY_LIST });
  const byHost: Readonly<Record<TrickyVerdict, string>> = {
    allowed: 'EGRESS_UNRESOLVED',
    unlisted: 'EGRESS_HOST_UNLISTED',
    denied: 'EGRESS_HOST_DENIED',
    address: 'EGRESS_ADDRESS',
    malformed: 'EGRESS_TARGET',
  };
  for (const [authority, verdict, why] of [
    ...TRICKY_NAMES,
    ...TRICKY_ADDRESSES.filter(([, said]) => said !== 'allowed'),
  ]) {
    if (!isWritable(authority) || verdict === 'malformed' || /localhost/.test(authority)) continue;
    const [, code] = saidOf(await say(port, `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`));
    // Two names end in no label that the enclave allows here.
    if (code !== 'EGRESS_UNLISTED') t.equal(code, byHost[verdict], `${authority}: ${why}`);
  }
  t.notOk(enclave.samples.some(({ labels }) => labels['outcome'] === 'connected'));
});
