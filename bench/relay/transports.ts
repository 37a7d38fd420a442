/** Over which sockets a relay is measured: what it listens at, and what it dials. Two of them stand for the ways of an enclave, whose vsock is a unix socket here. */
export type Family = 'tcp' | 'unix';

export interface Sockets {
  readonly title: string;
  readonly listen: Family;
  readonly connect: Family;
}

export const TRANSPORTS = {
  tcp: { title: 'TCP on loopback', listen: 'tcp', connect: 'tcp' },
  unix: { title: 'unix sockets', listen: 'unix', connect: 'unix' },
  in: { title: 'TCP to a unix socket in the place of vsock', listen: 'tcp', connect: 'unix' },
  out: { title: 'a unix socket in the place of vsock to TCP', listen: 'unix', connect: 'tcp' },
} as const satisfies Readonly<Record<string, Sockets>>;

export type Transport = keyof typeof TRANSPORTS;

/** Without peers that speak vsock the other two show nothing new. */
export const USUAL: readonly Transport[] = ['tcp', 'unix'];
