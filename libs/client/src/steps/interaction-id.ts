import { UMPIRE_UUID_NAMESPACE, uuidV5 } from '@umpire/contract';

/** What a pause is known by, over all restarts of its pipeline. */
export type PauseName = { namespace: string; pipeline: string; step: string; key: string };

/**
 * The id of a pause: UUIDv5 over `pause`, a newline, and the four names as a JSON array, in the project's UUID namespace. The same names
 * give the same id in every process and language.
 */
export function interactionIdOf({ namespace, pipeline, step, key }: PauseName): string {
  return uuidV5(UMPIRE_UUID_NAMESPACE, `pause\n${JSON.stringify([namespace, pipeline, step, key])}`);
}
