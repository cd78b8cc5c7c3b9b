import { HEADERS, uuidV5 } from '@umpire/contract';

/** The project's UUID namespace; names start with a word, so they never meet those of a HITLRequest, which start with a brace. */
const UUID_NAMESPACE = '029c0f1a-f75f-5fb5-86a0-281fd597d53c';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of an interaction that came over JetStream without one: the same for every delivery of the same message. */
export function idOfSubmission(namespace: string, submission: string): string {
  return uuidV5(UUID_NAMESPACE, `submission\n${namespace}\n${submission}`);
}

/** The id of a posted interaction without one: the same key means the same interaction. */
export function idOfIdempotencyKey(namespace: string, key: string): string {
  return uuidV5(UUID_NAMESPACE, `idempotency-key\n${namespace}\n${key}`);
}

/** @returns the id that POST made and sent along, so that the payload's bytes stay as they came; null if there is none. */
export function idFromHeaders(headers: { get(name: string): string } | undefined): string | null {
  const id = headers?.get(HEADERS.interactionId) ?? '';
  return UUID.test(id) ? id : null;
}
