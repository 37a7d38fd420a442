/** What programs ask of HTTP egress, what a list holds, what both ends tell each other, and queries to the DNS inside. */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { answerDns, MAX_UDP_BYTES } from '../../supervisor/egress/dns-answers.ts';
import { encodeFrame } from '../../wire/control/frame.ts';
import { EgressError } from '../../wire/egress/errors.ts';
import { judgeTarget, parseEgressList } from '../../wire/egress/judge.ts';
import { egressRequest } from '../../wire/egress/messages.ts';
import { MAX_EGRESS_FRAME_BYTES, readEgressFrame } from '../../wire/egress/read-frame.ts';
import { egressRuleFault, parseEgressRule } from '../../wire/egress/rule.ts';
import { egressTarget, parseAuthority } from '../../wire/egress/target.ts';
import { formatAuthority } from '../../wire/endpoint.ts';
import { WireError } from '../../wire/errors.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, hostile } from '../support/hostile-bytes.ts';
import { TRICKY_ADDRESSES } from '../wire/egress/support/tricky-addresses.ts';
import { TRICKY_LIST } from '../wire/egress/support/tricky-list.ts';
import { TRICKY_NAMES } from '../wire/egress/support/tricky-names.ts';
import { reading, streamCuts } from './support/reading.ts';

const parser = 'HTTP egress';
const patient = new AbortController().signal;
const list = parseEgressList(TRICKY_LIST);
const authorities = [...TRICKY_NAMES, ...TRICKY_ADDRESSES].map(([authority]) => authority);
const rules = [...TRICKY_LIST.allow, ...TRICKY_LIST.deny];

/** Texts to which something was done, as bytes of UTF-8 or of Latin-1. */
const texts = (all: readonly string[]) =>
  fc
    .tuple(hostile(fc.constantFrom(...all).map((text) => Buffer.from(text))), fc.constantFrom('utf8', 'latin1'))
    .map(([bytes, encoding]) => bytes.toString(encoding as 'utf8'));

const QUERY = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'api.example.com' }] });

export const HTTP_EGRESS = [
  fuzzer({
    parser,
    name: 'has one form for a target, which is judged the same on both ends, or EGRESS_TARGET',
    inputs: texts(authorities),
    holds: (text) => {
      try {
        const target = parseAuthority(text);
        const form = formatAuthority(target);
        assert.match(form, /^[a-z0-9_.:[\]-]+:[1-9]\d{0,4}$/);
        assert.deepEqual(parseAuthority(form), target);
        assert.deepEqual(egressTarget(target.host, target.port), target);
        const verdict = judgeTarget(list, target);
        if (verdict.kind === 'allowed') assert.ok(TRICKY_LIST.allow.includes(verdict.rule));
      } catch (error) {
        assert.ok(error instanceof EgressError && error.code === 'EGRESS_TARGET', String(error));
      }
    },
  }),
  fuzzer({
    parser,
    name: 'reads a rule or tells its fault, and takes no network or address for a name',
    inputs: texts(rules),
    holds: (text) => {
      const fault = egressRuleFault(text);
      if (fault !== undefined) {
        assert.throws(() => parseEgressRule(text), EgressError);
        return;
      }
      const rule = parseEgressRule(text);
      assert.ok(rule.from >= 1 && rule.from <= rule.to && rule.to <= 65_535);
      if (rule.kind === 'name') assert.doesNotMatch(text, /[/[\]]|(?:^|\.)\d+(?::|$)/);
    },
  }),
  fuzzer({
    parser,
    share: 0.1,
    name: 'takes one frame off a stream, and not a byte more, however it is cut',
    inputs: fc.tuple(
      hostile(fc.constant(encodeFrame(egressRequest({ host: 'api.example.com', port: 443 })))),
      anyBytes(8),
      streamCuts,
    ),
    holds: async ([bytes, behind, cutsAt]) => {
      const stream = Buffer.concat([bytes, behind]);
      const length = stream.length < 4 ? -1 : stream.readUInt32BE(0);
      const coded = (error: unknown) => (error instanceof WireError ? { code: error.code } : Promise.reject(error));
      const read = (own: Duplex) => readEgressFrame(own, patient).catch(coded);
      const { result, left } = await reading(read, stream, cutsAt);
      if (length >= 1 && length <= MAX_EGRESS_FRAME_BYTES && stream.length >= 4 + length) {
        assert.deepEqual(result, stream.subarray(4, 4 + length));
        assert.deepEqual(left, stream.subarray(4 + length));
      } else {
        const isLength = length === -1 || (length >= 1 && length <= MAX_EGRESS_FRAME_BYTES);
        assert.deepEqual(result, { code: isLength ? 'WIRE_STREAM_ENDED' : 'WIRE_FRAME_TOO_LARGE' });
      }
    },
  }),
  fuzzer({
    parser,
    name: 'answers a query within 512 bytes, with an address for an allowed name alone',
    inputs: hostile(fc.constant(QUERY)),
    holds: async (message) => {
      const isAllowed = (name: string) => name.toLowerCase() === 'api.example.com';
      const ask = async (name: string) =>
        isAllowed(name) ? ({ kind: 'address', address: '127.64.0.1' } as const) : ({ kind: 'unknown' } as const);
      const reply = await answerDns(message, MAX_UDP_BYTES, ask);
      if (reply === undefined) return;
      assert.ok(reply.message.length <= MAX_UDP_BYTES);
      const { answers = [], questions = [] } = decode(reply.message);
      if (answers.length > 0) assert.ok(isAllowed(questions[0]?.name ?? ''));
    },
  }),
];
