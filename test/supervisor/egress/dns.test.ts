/** Answers to DNS queries, byte by byte where it matters (docs/specs/egress.md, 6). */
import { type DecodedPacket, decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet';
import fc from 'fast-check';
import t from 'tap';
import { answerDns, MAX_UDP_BYTES, type NameAnswer } from '../../../supervisor/egress/dns-answers.ts';

const ask = async (name: string): Promise<NameAnswer> =>
  name.toLowerCase() === 'api.example'
    ? { kind: 'address', address: '127.64.0.1' }
    : name === 'full.example'
      ? { kind: 'busy' }
      : { kind: 'unknown' };

type Rcoded = DecodedPacket & { readonly rcode: string };

function query(packet: Omit<Packet, 'type'>): Buffer {
  return encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, ...packet });
}
async function replyTo(message: Buffer, maxBytes = MAX_UDP_BYTES): Promise<Rcoded> {
  const reply = await answerDns(message, maxBytes, ask);
  return decode(reply?.message ?? Buffer.alloc(0)) as Rcoded;
}

t.test('answers A of an allowed name, in the case in which it was asked', async (t) => {
  const reply = await replyTo(query({ questions: [{ type: 'A', name: 'aPi.Example' }] }));
  t.match(reply, {
    id: 7,
    rcode: 'NOERROR',
    flag_qr: true,
    flag_aa: true,
    flag_rd: true,
    flag_ra: true,
    questions: [{ type: 'A', name: 'aPi.Example' }],
    answers: [{ type: 'A', name: 'aPi.Example', data: '127.64.0.1', ttl: 60 }],
  });
});

t.test('has nothing of other types for an allowed name, and says so', async (t) => {
  for (const type of ['AAAA', 'TXT', 'MX', 'SRV', 'NS', 'SOA', 'CNAME', 'PTR', 'ANY', 'HTTPS'] as const) {
    const reply = await replyTo(query({ questions: [{ type: type as 'A', name: 'api.example' }] }));
    t.equal(reply.rcode, 'NOERROR', type);
    t.same(reply.answers, [], type);
  }
});

t.test('knows no other name, and asks nobody for it', async (t) => {
  for (const type of ['A', 'AAAA', 'PTR'] as const) {
    const reply = await replyTo(query({ questions: [{ type, name: 'other.example' }] }));
    t.match(reply, { rcode: 'NXDOMAIN', answers: [] }, type);
  }
  t.match(await replyTo(query({ questions: [{ type: 'A', name: 'full.example' }] })), { rcode: 'SERVFAIL' });
  t.match(await replyTo(query({ questions: [{ type: 'A', name: '.' }] })), { rcode: 'NXDOMAIN' });
});

t.test('refuses other classes, operations and several questions', async (t) => {
  const question = { type: 'A', name: 'api.example' } as const;
  t.match(await replyTo(query({ questions: [{ ...question, class: 'CH' }] })), { rcode: 'REFUSED' });
  t.match(await replyTo(query({ questions: [question, question] })), { rcode: 'FORMERR' });
  t.match(await replyTo(query({ questions: [] })), { rcode: 'FORMERR' });
  const update = query({ questions: [question] });
  update.writeUInt16BE(5 << 11, 2);
  t.match(await replyTo(update), { rcode: 'NOTIMP', id: 7 });
});

t.test('answers EDNS with EDNS', async (t) => {
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  } as const;
  const reply = await replyTo(
    query({ questions: [{ type: 'A', name: 'api.example' }], additionals: [{ ...opt, options: [] }] }),
  );
  t.match(reply.additionals, [{ type: 'OPT' }]);
  t.match(reply.answers, [{ data: '127.64.0.1' }]);
});

t.test('says that an answer over 512 bytes is cut, and gives it whole over TCP', async (t) => {
  const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.x`;
  const always = async (): Promise<NameAnswer> => ({ kind: 'address', address: '127.64.0.1' });
  const message = query({ questions: [{ type: 'A', name }] });
  const udp = await answerDns(message, MAX_UDP_BYTES, always);
  t.ok((udp?.message.length ?? 0) <= MAX_UDP_BYTES);
  t.match(decode(udp?.message ?? message), { flag_tc: true, answers: [] });
  const tcp = await answerDns(message, 0xffff, always);
  t.match(decode(tcp?.message ?? message), { flag_tc: false, answers: [{ name, data: '127.64.0.1' }] });
});

t.test('does not answer answers, nor what has no header', async (t) => {
  const answer = query({ questions: [{ type: 'A', name: 'api.example' }] });
  answer.writeUInt16BE(0x8000, 2);
  t.equal(await answerDns(answer, MAX_UDP_BYTES, ask), undefined);
  for (const bytes of [0, 1, 11]) t.equal(await answerDns(Buffer.alloc(bytes), MAX_UDP_BYTES, ask), undefined);
});

t.test('answers whatever else comes within its bounds, and gives an address for allowed names alone', async (t) => {
  const valid = query({ questions: [{ type: 'A', name: 'api.example' }] });
  const changed = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 })
    .map((changes) => changes.reduce((bytes, [at, value]) => bytes.fill(value, at, at + 1), Buffer.from(valid)));
  const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, bytes), async (message) => {
      const reply = await answerDns(message, MAX_UDP_BYTES, ask);
      if (reply === undefined) return;
      t.ok(reply.message.length <= MAX_UDP_BYTES);
      const { answers, questions } = decode(reply.message);
      if (answers?.length) t.equal(questions?.[0]?.name.toLowerCase(), 'api.example');
    }),
    { seed: 1, numRuns: 3_000 },
  );
});
