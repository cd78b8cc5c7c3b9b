import { Get, Header, Inject } from '@nestjs/common';
import { Allow, GuardedController } from '@umpire/runtime';
import { RecordKeeping } from './record-keeping.ts';

/** The public keys, for everybody: they prove, and give no access. */
@GuardedController('.well-known')
export class JwksController {
  private readonly record: RecordKeeping;

  constructor(@Inject(RecordKeeping) record: RecordKeeping) {
    this.record = record;
  }

  /** Retired keys stay: what they signed is checked with them. */
  @Get('jwks.json')
  @Header('cache-control', 'public, max-age=300')
  @Allow('public')
  keys() {
    return this.record.keys.published();
  }
}
