/** What the client reads: row descriptions in the types of the configuration, and rows and COPY data with their protected cells in plaintext. */
import type { Message } from '../../postgres/message-reader.ts';
import { decodeResultFields, withTypes } from '../../postgres/messages.ts';
import type { CopyStream } from '../statements/copy-stream.ts';
import type { Prepared } from '../statements/plan.ts';
import { CopyingOut } from './copying-out.ts';
import type { DatabaseReading } from './database-reading.ts';
import type { ConversationOptions } from './options.ts';
import type { Portals } from './portals.ts';
import type { Request } from './request.ts';
import { cellKinds, describedTypes, describeParameters, type ResultSource } from './result-types.ts';
import type { StatementWatch } from './statement-watch.ts';
import type { CellKind, ValueProtector } from './value-protector.ts';

export class Results {
  readonly copyingOut: CopyingOut;
  readonly #protector: ValueProtector;
  readonly #portals: Portals;
  readonly #watch: StatementWatch;
  readonly #reading: DatabaseReading;
  /** Rows go on as they came, and so do their descriptions. */
  readonly #isAsStored: boolean;

  constructor(
    { protector, columnForm }: Pick<ConversationOptions, 'protector' | 'columnForm'>,
    portals: Portals,
    watch: StatementWatch,
    reading: DatabaseReading,
  ) {
    this.copyingOut = new CopyingOut(protector);
    this.#isAsStored = columnForm === 'stored';
    this.#protector = protector;
    this.#portals = portals;
    this.#watch = watch;
    this.#reading = reading;
  }

  /** @returns what the client gets of a ParameterDescription */
  describeParameters(frame: Buffer, plan: Prepared | undefined): Buffer {
    return plan ? describeParameters(frame, this.#isAsStored ? { ...plan, parameters: new Map() } : plan) : frame;
  }

  /** The database offers the data of a COPY. @param body of CopyOutResponse */
  beginCopy(stream: CopyStream | undefined, body: Buffer): void {
    this.copyingOut.begin(this.#isAsStored ? undefined : stream?.content, body);
  }

  /** @returns what the client gets of a RowDescription */
  describe(frame: Buffer, body: Buffer, request: Request): Buffer {
    const fields = decodeResultFields(body);
    if (request.portal) request.portal.described = fields;
    if (request.statement) this.#portals.statementDescribed(request.statement, fields);
    request.fields = fields;
    return this.#isAsStored
      ? frame
      : withTypes(frame, describedTypes({ ...request, described: fields }, fields.length));
  }

  /** @param rows that follow one another. @throws Refusal, SessionError */
  rows(rows: readonly Message[], request: Request | undefined): Promise<readonly Buffer[]> {
    const frames = rows.map(({ frame }) => frame);
    const source = request && this.#sourceOf(request);
    const kindsOf = (count: number) => (this.#isAsStored ? cellsAsStored(count) : cellKinds(source, count));
    return this.#watch.reading(request?.work, async () => {
      const read = await this.#protector.rows(frames, kindsOf);
      this.#reading.requireSameRows(read, kindsOf);
      return read;
    });
  }

  /** @param data messages of CopyData that follow one another. @throws Refusal, SessionError */
  copyData(data: readonly Message[], request: Request | undefined): Promise<readonly Buffer[]> {
    return this.#watch.reading(request?.work, () => this.copyingOut.data(data));
  }

  #sourceOf({ plan, at, portal, fields }: Request): ResultSource {
    if (!portal) return { plan, at, described: fields };
    return { plan, at, described: this.#portals.descriptionOf(portal), resultFormats: portal.resultFormats };
  }
}

const cellsAsStored = (count: number): CellKind[] =>
  Array.from({ length: count }, () => ({ column: undefined, isBinary: false }));
