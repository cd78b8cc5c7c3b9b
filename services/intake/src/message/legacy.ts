import { encodeUtf8, isHumanReviewRequest, LIMITS, mapHumanReviewRequest, member, readJson, toValue, type FieldError, type JsonNode } from '@umpire/contract';
import type { Envelope } from './envelope.ts';

/** A form that the contract has replaced, by its old name. */
export type DeprecatedForm = 'HumanReviewRequest';

/**
 * The same message in today's form. `bytes` are the mapped payload's. `timeoutSeconds` is what its deadline leaves, if it names one that
 * can be read: it stands apart from the interaction, since a retry is the same content although less time is left.
 */
export type Modernised = { envelope: Envelope; bytes: Uint8Array; timeoutSeconds: number | null; reasonPath: string };

/** The shortest and the longest time that rules may give. A deadline that has passed still opens the escalation, which then expires. */
const SHORTEST = 0.001;
const LONGEST = 366 * 24 * 3600;

/** @returns whether an envelope holds a deprecated HumanReviewRequest, bare or as the payload of a queue message. */
export function isDeprecated({ form, payload }: Envelope): boolean {
  // Unknown members are allowed everywhere: what has an id of today's is of today.
  return form === 'escalation' && isHumanReviewRequest(payload) && member(payload, 'request_id') === undefined;
}

/**
 * Maps a deprecated HumanReviewRequest to a HITLRequest with an interaction; the producer's own block beside it counts more.
 * @param now ms: when it came, which is its `created_at` and what its deadline is counted from
 * @returns every field at fault with the paths of the old form
 */
export function modernise(envelope: Envelope, now: number): { ok: true; modern: Modernised } | { ok: false; errors: FieldError[] } {
  const mapping = mapHumanReviewRequest(envelope.payload, new Date(now).toISOString());
  if (!mapping.ok) return { ok: false, errors: mapping.errors.map((error) => ({ ...error, path: envelope.prefix + error.path })) };
  const { payload, interaction, deadline } = mapping.mapped;
  const bytes = encodeUtf8(payload);
  if (bytes.length > LIMITS.request) return { ok: false, errors: [{ path: envelope.prefix.slice(0, -1), code: 'too_large', message: `is longer than ${LIMITS.request} bytes as a HITLRequest` }] };
  return {
    ok: true,
    modern: {
      envelope: { form: 'escalation', payload: readJson(payload), interaction: merged(interaction, envelope.interaction), routingKey: envelope.routingKey, prefix: 'payload.' },
      bytes,
      timeoutSeconds: deadline === null ? null : Math.min(LONGEST, Math.max(SHORTEST, (deadline - now) / 1_000)),
      reasonPath: `${envelope.prefix}evaluation_result.alignment_summary.state`,
    },
  };
}

/** As a node, so that it is checked and digested like one that was sent. What is no object is left to be refused. */
function merged(mapped: object, block: JsonNode | undefined): JsonNode {
  if (block !== undefined && block.kind !== 'object') return block;
  return readJson(JSON.stringify({ ...mapped, ...(block ? (toValue(block) as object) : {}) }));
}
