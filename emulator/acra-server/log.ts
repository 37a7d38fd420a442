/** Log records in the shape of acra-server's JSON lines (acra-server contract 3.6), on stderr. Never a value, a statement or a key. */

type LogFields = Readonly<Record<string, string | number>>;

// Nobody reads the log any more: acra-server would end here, we go on serving.
process.stderr.on('error', () => undefined);

export function logRecord(level: 'info' | 'warning' | 'error', msg: string, fields: LogFields = {}): void {
  const nowMs = Date.now();
  const timestamp = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const common = { product: 'acra-server', timestamp, unixTime: (nowMs / 1000).toFixed(3), version: '0.96.0' };
  process.stderr.write(`${JSON.stringify({ ...fields, level, msg, ...common })}\n`);
}
