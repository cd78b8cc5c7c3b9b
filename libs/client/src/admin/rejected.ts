import type { FieldError } from '@umpire/contract';
import type { Page } from '../http/pages.ts';
import { namePath } from '../http/path.ts';
import type { HttpTransport } from '../http/transport.ts';
import type { CallOptions } from '../retry.ts';
import type { Receipt } from '../types.ts';

/** A message that was refused, with every reason. `original` is base64; lists leave out a long one. `digest` is hex SHA-256 of it. */
export type RejectedMessage = {
  id: string;
  /** Its place in the stream of dead letters. */
  seq: number;
  subject: string;
  errors: FieldError[];
  digest: string;
  rejected_at: string;
  /** Bytes. */
  size: number;
  original?: string;
};

/** The namespace's dead letters of thirty days, for administrators. */
export class Rejected {
  private readonly transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.transport = transport;
  }

  /** Newest first. */
  list(options: { limit?: number; after?: string } = {}, call?: CallOptions): Promise<Page<RejectedMessage>> {
    return this.transport.json({ method: 'GET', path: '/rejected', query: options, repeat: 'always' }, call);
  }

  /** @param reference the letter's id, or its `seq` */
  get(reference: string | number, call?: CallOptions): Promise<RejectedMessage & { original: string }> {
    return this.transport.json({ method: 'GET', path: `/rejected/${namePath(String(reference))}`, repeat: 'always' }, call);
  }

  /**
   * Sends the original bytes again, as they came; the letter stays. Repeating it is as harmless as repeating the message was.
   * @throws UmpireError as `submit` does, if it is still refused
   */
  redrive(reference: string | number, call?: CallOptions): Promise<Receipt> {
    return this.transport.json({ method: 'POST', path: `/rejected/${namePath(String(reference))}/redrive`, repeat: 'refused' }, call);
  }
}
