export type AlignmentErrorCode = 'too_few_decisions' | 'invalid_decision' | 'not_a_number' | 'invalid_thresholds' | 'duplicate_agent';

/** Input that the engine cannot judge: a mistake of the caller, not a finding about the agents. */
export class AlignmentError extends Error {
  readonly code: AlignmentErrorCode;

  constructor(code: AlignmentErrorCode, message: string) {
    super(message);
    this.name = 'AlignmentError';
    this.code = code;
  }
}
