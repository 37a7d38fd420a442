/** What the client reads: row descriptions in the types of the configuration, and rows and COPY data with their protected cells in plaintext. */
import type { Message } from '../../postgres/message-reader.ts';
import { decodeResultFields, withTypes } from '../../postgres/messages.ts';
import { CopyingOut } from './copying-out.ts';
import type { DatabaseReading } from './database-reading.ts';
import type { Portals } from './portals.ts';
import type { Request } from './request.ts';
import { cellKinds, describedTypes, type ResultSource } from './result-types.ts';
import type { StatementWatch } from './statement-watch.ts';
import type { ValueProtector } from './value-protector.ts';

export class Results {
  readonly copyingOut: CopyingOut;
  readonly #protector: ValueProtector;
  readonly #portals: Portals;
  readonly #watch: StatementWatch;
  readonly #reading: DatabaseReading;

  constructor(protector: ValueProtector, portals: Portals, watch: StatementWatch, reading: DatabaseReading) {
    this.copyingOut = new CopyingOut(protector);
    this.#protector = protector;
    this.#portals = portals;
    this.#watch = watch;
    this.#reading = reading;
  }

  /** @returns what the client gets of a RowDescription */
  describe(frame: Buffer, body: Buffer, request: Request): Buffer {
    const fields = decodeResultFields(body);
    if (request.portal) request.portal.described = fields;
    if (request.statement) this.#portals.statementDescribed(request.statement, fields);
    request.fields = fields;
    return withTypes(frame, describedTypes({ ...request, described: fields }, fields.length));
  }

  /** @param rows that follow one another. @throws Refusal, SessionError */
  rows(rows: readonly Message[], request: Request | undefined): Promise<readonly Buffer[]> {
    const frames = rows.map(({ frame }) => frame);
    const source = request && this.#sourceOf(request);
    const kindsOf = (count: number) => cellKinds(source, count);
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
