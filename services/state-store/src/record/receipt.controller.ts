import { Get, Header, Inject, Param, UseInterceptors } from '@nestjs/common';
import type { Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController, Reading } from '@umpire/runtime';
import { RateLimitInterceptor } from '../rate-limit.interceptor.ts';
import { ReadLog, type Reader } from '../read-log.ts';
import { requestIdOf } from '../request-id.ts';
import { RecordKeeping } from './record-keeping.ts';

/** The signed receipt of an outcome, for whoever may read it. */
@GuardedController('hitl/escalations')
@UseInterceptors(RateLimitInterceptor)
export class ReceiptController {
  private readonly record: RecordKeeping;
  private readonly log: ReadLog;

  constructor(@Inject(RecordKeeping) record: RecordKeeping, @Inject(ReadLog) log: ReadLog) {
    this.record = record;
    this.log = log;
  }

  @Get(':id/receipt')
  @Header('cache-control', 'no-store')
  @Allow('producer', 'reviewer', 'admin')
  async receipt(@Caller() caller: Principal, @Reading() reader: Reader, @Param('id') id: string) {
    const receipt = await this.record.receipts.receipt(caller, requestIdOf(id));
    await this.log.note(caller.namespace, reader, 'http', { what: 'receipt', request_id: receipt.receipt.request_id });
    return receipt;
  }
}
