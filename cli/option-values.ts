/** Values of options, as commander reads them. */
import { InvalidArgumentError } from 'commander';

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('must be 1 to 65535');
}

export const parseCount =
  (least: number, most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (/^\d{1,15}$/.test(text) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`must be ${least} to ${most}`);
  };
