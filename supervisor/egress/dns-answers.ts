/**
 * Answers to DNS queries of programs: A for names that the list allows, nothing for other types of these, NXDOMAIN for all other names. Nobody
 * is asked for anything. Specification: docs/specs/egress.md, 6; RFC 1035 section 4, RFC 6891 (EDNS), RFC 8020 (NXDOMAIN).
 */
import type { Answer, Packet } from 'dns-packet';
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** What stands for a name; `busy` when no address is left. */
export type NameAnswer =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'busy' };
export type AskName = (name: string) => Promise<NameAnswer>;

const HEADER_BYTES = 12;
/** Of a message over UDP; what is longer says that it is to be asked over TCP. */
export const MAX_UDP_BYTES = 512;
const TTL_S = 60;
const EDNS_PAYLOAD_BYTES = 1_232;

const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof RCODES;

export interface DnsReply {
  readonly message: Buffer;
  readonly outcome: Lowercase<Rcode>;
}

/** Undefined for what is no query: it is not answered. */
export async function answerDns(message: Buffer, maxBytes: number, ask: AskName): Promise<DnsReply | undefined> {
  if (message.length < HEADER_BYTES || (message.readUInt16BE(2) & 0x8000) !== 0) return undefined;
  const query = decoded(message);
  if (query === undefined) return reply({ id: message.readUInt16BE(0) }, 'FORMERR', [], maxBytes);
  const [question] = query.questions ?? [];
  if (query.opcode !== 'QUERY') return reply({ id: query.id ?? 0 }, 'NOTIMP', [], maxBytes);
  if (question === undefined || query.questions?.length !== 1)
    return reply({ id: query.id ?? 0 }, 'FORMERR', [], maxBytes);
  if (question.class !== 'IN') return reply(query, 'REFUSED', [], maxBytes);
  const found = await ask(question.name);
  if (found.kind === 'unknown') return reply(query, 'NXDOMAIN', [], maxBytes);
  if (found.kind === 'busy') return reply(query, 'SERVFAIL', [], maxBytes);
  const isAddress = question.type === 'A';
  const answer: Answer = { type: 'A', name: question.name, ttl: TTL_S, data: found.address };
  return reply(query, 'NOERROR', isAddress ? [answer] : [], maxBytes);
}

/** What the library reads, with the name of the operation that its types leave out. */
type Query = Packet & { readonly opcode?: string };

/** Undefined for what cannot be read, or could not be written again. */
function decoded(message: Buffer): Query | undefined {
  try {
    const query = decode(message);
    encode({ type: 'response', questions: query.questions ?? [] });
    return query;
  } catch {
    return undefined;
  }
}

function reply(query: Query, rcode: Rcode, answers: Answer[], maxBytes: number): DnsReply {
  const asked = (query.flags ?? 0) & RECURSION_DESIRED;
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | asked | RCODES[rcode];
  const hasEdns = query.additionals?.some(({ type }) => type === 'OPT') === true;
  const packet: Packet = {
    type: 'response',
    id: query.id ?? 0,
    flags,
    questions: query.questions ?? [],
    answers,
    additionals: hasEdns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: EDNS_PAYLOAD_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  };
  const message = encode(packet);
  const outcome = rcode.toLowerCase() as Lowercase<Rcode>;
  if (message.length <= maxBytes) return { message, outcome };
  return { message: encode({ ...packet, flags: flags | TRUNCATED_RESPONSE, answers: [] }), outcome };
}
