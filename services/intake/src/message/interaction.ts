import { interactionSchema, LIMITS, requestIdProblem, toValue, type FieldError, type Interaction, type JsonNode } from '@umpire/contract';
import { inexactNumbers } from '@umpire/runtime';
import { schemaErrors } from './errors.ts';

/**
 * Reads the block beside a payload.
 * @returns the interaction (absent if there is none), or every field at fault, with paths from the message's root
 */
export function readInteraction(node: JsonNode | undefined): { ok: true; interaction: Interaction | undefined } | { ok: false; errors: FieldError[] } {
  if (node === undefined) return { ok: true, interaction: undefined };
  const parsed = interactionSchema.safeParse(toValue(node));
  if (!parsed.success) return { ok: false, errors: schemaErrors(parsed.error.issues, ['interaction']) };
  const errors = [...inexactNumbers(node, 'interaction'), ...revisesErrors(parsed.data), ...callbackErrors(parsed.data), ...sizeErrors(parsed.data)];
  return errors.length === 0 ? { ok: true, interaction: parsed.data } : { ok: false, errors };
}

function revisesErrors({ revises }: Interaction): FieldError[] {
  const problem = revises === undefined ? null : requestIdProblem(revises);
  return problem === null ? [] : [{ path: 'interaction.revises', code: 'invalid_id', message: problem }];
}

/** `fetch` knows many schemes; a callback is HTTP. */
export function callbackErrors({ resume }: Pick<Interaction, 'resume'>): FieldError[] {
  const url = resume?.callback_url;
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return [];
  return [{ path: 'interaction.resume.callback_url', code: 'invalid_format', message: 'must be an http or https URL' }];
}

/** `1e20` is printed with 21 digits: a block within the request's limit may still grow past what a frame or an event can carry. */
function sizeErrors(interaction: Interaction): FieldError[] {
  const bytes = Buffer.byteLength(JSON.stringify(interaction));
  return bytes <= LIMITS.request ? [] : [{ path: 'interaction', code: 'too_large', message: `is longer than ${LIMITS.request} bytes when its numbers are written out` }];
}
