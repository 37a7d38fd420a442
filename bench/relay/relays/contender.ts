/** A relay that runs, in front of a peer of bulk and of one that echoes, and what is needed to start one. */
import { connect } from 'node:net';
import { freePorts } from '../../../emulator/free-port.ts';
import { findProgram } from '../../../system/processes/find-program.ts';
import { parseEndpoint } from '../../../wire/endpoint.ts';
import { isInstalled, type Program, startProgram, startScript } from '../../program.ts';
import { TRANSPORTS, type Transport } from '../transports.ts';

/** What stands behind a relay. */
export interface Peers {
  readonly bulk: string;
  readonly echo: string;
}

export const ENDPOINTS = ['bulk', 'echo'] as const;

export interface Contender extends Peers {
  readonly name: string;
  /** What it costs is theirs. */
  readonly programs: readonly Program[];
  /** What it takes beside them. */
  readonly others?: readonly Program[];
}

/** Of one start. */
export interface Ground {
  readonly transport: Transport;
  readonly peers: Peers;
  /** For configurations and sockets; nobody else's. */
  readonly folder: string;
}

export interface RelayKind {
  readonly name: string;
  /** Connections that it can have; default: any number. */
  readonly maxConnections?: number;
  /** Default: all. */
  readonly transports?: readonly Transport[];
  /** Why it is not measured. */
  readonly missing: () => string | undefined;
  readonly start: (ground: Ground) => Promise<Contender>;
}

/** Its own two endpoints, free ones. */
export async function endpointsOf({ transport, folder }: Ground): Promise<Peers> {
  if (TRANSPORTS[transport].listen === 'unix') return { bulk: `unix://${folder}/bulk`, echo: `unix://${folder}/echo` };
  const [bulk, echo] = await freePorts(2);
  return { bulk: `tcp://127.0.0.1:${bulk}`, echo: `tcp://127.0.0.1:${echo}` };
}

/** @throws where a program has ended before */
export async function untilListening(text: string, programs: readonly Program[]): Promise<void> {
  const endpoint = parseEndpoint(text);
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket =
        endpoint.kind === 'unix' ? connect(endpoint.path) : connect(Number(text.split(':').at(-1)), '127.0.0.1');
      socket
        .on('error', () => resolve(false))
        .once('connect', () => {
          socket.destroy();
          resolve(true);
        });
    });
    if (isOpen) return;
    const ended = programs.find(({ hasEnded }) => hasEnded());
    if (ended) throw new Error(`${ended.command} ended before it listened at ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One of ours, which prints where it listens. */
export function script(name: string, file: string): RelayKind {
  return {
    name,
    missing: () => undefined,
    start: async (ground) => {
      const { bulk, echo } = await endpointsOf(ground);
      const routes = [`${bulk}=${ground.peers.bulk}`, `${echo}=${ground.peers.echo}`];
      const program = startScript(`relay/relays/${file}`, ...routes);
      const programs = [{ ...program, stop: program.ended }];
      return { name, bulk: await program.line(), echo: await program.line(), programs };
    },
  };
}

/** @param argumentsOf of each process that it takes */
export function installed(
  name: string,
  command: string,
  argumentsOf: (own: Peers, ground: Ground) => readonly string[][],
  limits: Pick<RelayKind, 'maxConnections' | 'transports'> = {},
): RelayKind {
  return {
    name,
    ...limits,
    missing: () => (isInstalled(command) ? undefined : `${command} is not installed`),
    start: async (ground) => {
      const own = await endpointsOf(ground);
      const programs = argumentsOf(own, ground).map((args) => startProgram(findProgram(command), args));
      for (const each of ENDPOINTS) await untilListening(own[each], programs);
      return { name, ...own, programs };
    },
  };
}
