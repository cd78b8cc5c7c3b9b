import { Sealer, systemClock, type Bus, type Logger, type Sql } from '@umpire/runtime';
import type { EscalationState } from '@umpire/domain';
import type { OutboxItem } from '../outbox.queries.ts';
import type { Reads } from '../read.service.ts';
import { Checkpoints, type CheckpointRules } from './checkpoint.loop.ts';
import { Erasures } from './erasure.service.ts';
import { Exports } from './export.service.ts';
import { PersonExports } from './person-export.service.ts';
import { Receipts } from './receipt.service.ts';
import { Retention } from './retention.loop.ts';
import { SigningKeys } from './signing-keys.service.ts';

export type RecordOptions = {
  sql: Sql;
  bus: Bus;
  reads: Reads;
  logger: Logger;
  /** Null: nothing is signed. */
  secretKeys: Buffer[] | null;
  /** Whose administrators may make the next signing key. */
  keyNamespace: string;
  checkpoints: CheckpointRules;
  publicUrl: string;
  /** Called after the commit with what is to be published. */
  erased: (items: OutboxItem[], states: EscalationState[]) => void;
};

/** Everything that keeps, seals, shows and clears the record, beside the store that writes it. */
export class RecordKeeping {
  readonly sql: Sql;
  readonly keys: SigningKeys;
  readonly checkpoints: Checkpoints;
  readonly exports: Exports;
  readonly receipts: Receipts;
  readonly erasures: Erasures;
  readonly retention: Retention;
  readonly people: PersonExports;

  constructor({ sql, bus, reads, logger, secretKeys, keyNamespace, checkpoints, publicUrl, erased }: RecordOptions) {
    this.sql = sql;
    this.keys = new SigningKeys(sql, secretKeys === null ? null : new Sealer(secretKeys), keyNamespace, systemClock.now);
    this.checkpoints = new Checkpoints(sql, this.keys, checkpoints, logger);
    this.exports = new Exports(sql, this.keys, this.checkpoints);
    this.receipts = new Receipts({ sql, reads, keys: this.keys, issuer: publicUrl });
    this.erasures = new Erasures({ sql, bus, logger, committed: erased });
    this.retention = new Retention({ sql, erasures: this.erasures, logger });
    this.people = new PersonExports(sql);
    if (secretKeys === null) logger.warn({}, 'record_is_not_signed');
  }

  start(): void {
    this.checkpoints.start();
    this.erasures.start();
    this.retention.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.checkpoints.stop(), this.erasures.stop(), this.retention.stop()]);
  }
}
