/** The format that the options of a COPY name. */
import { BinaryFormat } from './binary.ts';
import { CsvFormat } from './csv.ts';
import type { CopyFormat } from './format.ts';
import type { CopyOptions } from './options.ts';
import { TextFormat } from './text.ts';

export function openFormat(options: CopyOptions): CopyFormat {
  if (options.format === 'binary') return new BinaryFormat();
  return options.format === 'csv' ? new CsvFormat(options) : new TextFormat(options);
}
