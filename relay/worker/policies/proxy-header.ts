/**
 * Waits for the header that says whose connection it is (wire/proxy-protocol.ts), takes it off, and hands on. It stands where the
 * configuration says that it stands; a connection without one is refused, never taken for one that had nothing to say.
 */
import { MAX_PROXY_HEADER_BYTES, type ProxyHeader, parseProxyHeader } from '../../../wire/proxy-protocol.ts';
import type { Connection, Stage } from '../connection.ts';
import type { Engine } from '../engine.ts';
import { consume, peek } from '../small-io.ts';

type Whole = Exclude<ProxyHeader, { readonly kind: 'more' }>;

interface Next {
  readonly isSilent?: true;
  readonly onHeader: (engine: Engine, connection: Connection, header: Whole) => void;
  readonly refuse: (engine: Engine, connection: Connection, reason: 'no-proxy-header' | 'time-out') => void;
}

/** Undefined for what is none. */
function headerIn(bytes: Buffer): ProxyHeader | undefined {
  try {
    return parseProxyHeader(bytes);
  } catch {
    return undefined;
  }
}

export function proxyHeaderStage({ onHeader, refuse, ...silence }: Next): Stage {
  return {
    name: 'proxy-header',
    ...silence,
    onEvents(engine, { connection }) {
      const { down } = connection;
      const { bytes, end } = peek(engine, down, MAX_PROXY_HEADER_BYTES);
      const header = headerIn(bytes);
      if (header === undefined) refuse(engine, connection, 'no-proxy-header');
      else if (header.kind === 'more') {
        // A peek at too few bytes shows no end behind them; the hang-up does (K14).
        if (end !== undefined || down.isHungUp) connection.close(engine, 'gone', end ?? '');
      } else {
        consume(engine, down, header.headerBytes);
        onHeader(engine, connection, header);
      }
    },
    onDeadline: (engine, connection) => refuse(engine, connection, 'time-out'),
  };
}
