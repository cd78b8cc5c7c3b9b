import { UmpireError } from '@umpire/contract';
import { isDataError } from '@umpire/runtime';

/** The database cannot hold it, or the store understood what it was asked about an event and will never answer it. */
export function isAboutContent(error: unknown): boolean {
  return isDataError(error) || (error instanceof UmpireError && (error.code === 'bad_request' || error.code === 'invalid'));
}

/**
 * Why a batch is not done, of the parts that were tried side by side: something that is away before what an event holds, since an event is given up
 * for what it holds alone.
 * @returns undefined when all parts are done, and only then
 */
export function faultOf(parts: PromiseSettledResult<unknown>[]): Error | undefined {
  const faults = parts.flatMap((part) => (part.status === 'rejected' ? [errorOf(part.reason)] : []));
  return faults.find((fault) => !isAboutContent(fault)) ?? faults[0];
}

const errorOf = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('failed without an error', { cause: reason }));
