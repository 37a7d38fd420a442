/** Row descriptions and rows of a database that lies about a result. */
import { DATA_ROW, decodeResultFields, HEADER_BYTES, type ResultField } from '../../../postgres/messages.ts';
import type { Lie } from '../../abuse/support/lying-database.ts';
import { frame } from '../../abuse/support/raw-client.ts';

type Cells = readonly (Buffer | null)[];
export type Field = Pick<ResultField, 'name' | 'tableOid' | 'columnNumber' | 'typeOid'>;

export interface LyingRows {
  /** Undefined: the true ones. */
  readonly fields?: (own: readonly Field[]) => readonly Field[];
  readonly cells?: (own: Cells) => Cells;
  /** No description at all. */
  readonly isUndescribed?: true;
}

export function lyingRows({ fields, cells, isUndescribed }: LyingRows): Lie {
  return {
    change: ({ type, body, frame: own }) => {
      if (type === 'T' && isUndescribed) return [];
      if (type === 'T' && fields) return [encodeFields(fields(decodeResultFields(body)))];
      if (type === 'D' && cells) return [DATA_ROW.encode([...cells(DATA_ROW.decode(own.subarray(HEADER_BYTES))[0])])];
      return [own];
    },
  };
}

function encodeFields(fields: readonly Field[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(fields.length);
  const parts = fields.map(({ name, tableOid, columnNumber, typeOid }) => {
    const facts = Buffer.alloc(18);
    facts.writeUInt32BE(tableOid);
    facts.writeInt16BE(columnNumber, 4);
    facts.writeInt32BE(typeOid, 6);
    facts.writeInt16BE(-1, 10);
    facts.writeInt32BE(-1, 12);
    return Buffer.concat([Buffer.from(`${name}\0`), facts]);
  });
  return frame('T', Buffer.concat([count, ...parts]));
}
