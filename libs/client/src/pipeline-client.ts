import type { Interaction } from '@umpire/contract';
import type { Escalation } from './messages.ts';
import type { WaitOptions } from './outcome-wait.ts';
import type { CallOptions } from './retry.ts';
import type { CancelReceipt, InteractionRequest, Receipt, SettledOutcome, StatusReply } from './types.ts';

/** What a pipeline needs of a client; both of ours have it, over HTTP and over NATS. */
export type PipelineClient = {
  /** The namespace that the credential belongs to. */
  namespace(call?: CallOptions): Promise<string>;
  escalate(request: Escalation, options?: CallOptions & { interaction?: Interaction }): Promise<Receipt>;
  interact(request: InteractionRequest, call?: CallOptions): Promise<Receipt>;
  cancel(requestId: string, options?: CallOptions & { detail?: string }): Promise<CancelReceipt>;
  /** Null for an id that is not known. */
  findStatus<Data = unknown>(requestId: string, call?: CallOptions): Promise<StatusReply<Data> | null>;
  waitForOutcome<Data = unknown>(requestId: string, options?: WaitOptions): Promise<SettledOutcome<Data>>;
};
