/** Floods of strangers that ask what the enclave is, so many that nobody could answer all of them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { StackOptions } from '../../../cli/demo/stack.ts';
import { ATTESTATION_ALPN } from '../../../wire/requests/bounds.ts';
import { step } from '../../support/stack.ts';
import { ATTACKER, type Attacked, type Flood } from './attacked.ts';
import { askInOrder, attest, secureForAttestation } from './attestation.ts';
import { wholeClientHello } from './client-hello.ts';
import { keysWithoutEnd } from './key-floods.ts';
import { begun, dripped, FLOOD_MS, forAWhile, IS_LONG } from './pace.ts';
import { dial } from './raw-client.ts';

type From = (index: number) => string;
const one: From = () => ATTACKER;
const many: From = (index) => `127.0.1.${1 + (index % 200)}`;
const TLS_HANDSHAKE = 0x16;
const A_SECOND = 1_000;
/** Of so many one goes on to its answer; making a ClientHello for each would take more of the attacker's core than of the enclave. */
const IN_ORDER = 50;
const AT_ONCE = IS_LONG ? 2_000 : 500;

const hello = () => wholeClientHello({ ALPNProtocols: [ATTESTATION_ALPN] });

/** A thousand a second. @returns what became of them */
function ask(from: From): Flood {
  return async (target) => {
    const first = await hello();
    let [heard, answered, asked] = [0, 0, 0];
    const told = await begun(A_SECOND, (index) => {
      if (index % IN_ORDER === 0) {
        asked += 1;
        askInOrder(target, attest(), from(index)).then(
          ({ type }) => {
            if (type === 'attestation') answered += 1;
          },
          () => undefined,
        );
        return;
      }
      const socket = dial(target, from(index));
      socket.once('data', ([type]: Buffer) => {
        // Or an error of PostgreSQL's, from a host-proxy that has no place.
        if (type === TLS_HANDSHAKE) heard += 1;
        socket.destroy();
      });
      socket.write(first);
    });
    return `${told}: ${heard} have got as far as a handshake, ${answered} of ${asked} that go on have their answer`;
  };
}

/** A thousand a second by HTTP, each on a connection of its own. @returns what became of them */
function askByHttp(from: From): Flood {
  return async ({ stack }) => {
    const status = await stack.enclave.until(({ attestation }) => attestation !== null, step());
    const { hostname: host, port } = new URL(status.attestation?.address.replace('tcp:', 'http:') ?? '');
    const answers: Record<string, number> = {};
    const told = await begun(A_SECOND, (index) => {
      const socket = connect({ host, port: Number(port), localAddress: from(index) }).on('error', () => undefined);
      socket.once('data', (chunk: Buffer) => {
        const [, code = 'none'] = /^HTTP\/1.1 (\d{3})/.exec(chunk.toString('latin1')) ?? [];
        answers[code] = (answers[code] ?? 0) + 1;
        socket.destroy();
      });
      socket.write(`GET /v1/attestation?nonce=${'5a'.repeat(32)} HTTP/1.1\r\nHost: enclave\r\n\r\n`);
    });
    return `${told}, answers ${JSON.stringify(answers)}`;
  };
}

/** Say their ClientHellos byte by byte, from fewer addresses than may wait at the front: of more one goes, whoever it is (docs/abuse.md). */
async function slow(target: Attacked): Promise<string> {
  const first = await hello();
  const sockets = Array.from({ length: AT_ONCE }, (_, index) => {
    const socket = dial(target, many(index % 150)).resume();
    socket.write(first.subarray(0, 20));
    dripped(socket, first.subarray(20), 200);
    return socket;
  });
  await forAWhile(FLOOD_MS);
  const held = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  return `${AT_ONCE} at once, ${held} still there at the end`;
}

/** Finish their handshakes and say nothing, 60 a second. */
async function silent(target: Attacked): Promise<string> {
  const all: ReturnType<typeof secureForAttestation>[] = [];
  let secured = 0;
  const told = await begun(60, (index) => {
    const socket = secureForAttestation(target, many(index));
    all.push(socket);
    once(socket, 'secureConnect').then(
      () => {
        secured += 1;
      },
      () => undefined,
    );
  });
  for (const socket of all) socket.destroy();
  return `${told}, ${secured} have finished their handshakes`;
}

/** Where they ask by HTTP. */
export const HTTP_LISTENER: Partial<StackOptions> = {
  hostSettings: { attestation: { listen: 'tcp://127.0.0.1:0' } },
};

export const ATTESTATION_FLOODS: Readonly<Record<string, Flood>> = {
  '1,000 requests for attestation a second': ask(one),
  '1,000 requests for attestation a second, from 200 addresses': ask(many),
  '1,000 requests for attestation a second, by HTTP': askByHttp(one),
  '1,000 requests for attestation a second, by HTTP from 200 addresses': askByHttp(many),
  'ClientHellos for attestation byte by byte, from 150 addresses': slow,
  '60 handshakes for attestation a second that say nothing more, from 200 addresses': silent,
  'new keys without end, by whoever asks for attestation': keysWithoutEnd(() => undefined, undefined, ATTESTATION_ALPN),
};
