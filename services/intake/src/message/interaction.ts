import { interactionSchema, LIMITS, requestIdProblem, toValue, type FieldError, type Interaction, type JsonNode } from '@umpire/contract';
import { fieldErrors, inexactNumbers } from '@umpire/runtime';

/**
 * Reads the block beside a payload.
 * @returns the interaction (absent if there is none), or every field at fault, with paths from the message's root
 */
export function readInteraction(node: JsonNode | undefined): { ok: true; interaction: Interaction | undefined } | { ok: false; errors: FieldError[] } {
  if (node === undefined) return { ok: true, interaction: undefined };
  const parsed = interactionSchema.safeParse(toValue(node));
  if (!parsed.success) return { ok: false, errors: schemaErrors(parsed.error.issues) };
  const errors = [...inexactNumbers(node, 'interaction'), ...revisesErrors(parsed.data), ...callbackErrors(parsed.data), ...sizeErrors(parsed.data)];
  return errors.length === 0 ? { ok: true, interaction: parsed.data } : { ok: false, errors };
}

type Issue = Parameters<typeof fieldErrors>[0][number] & { code?: unknown; keys?: unknown };

/** An unknown field is named by its own path: a rule that is not known here must not look accepted. */
function schemaErrors(issues: readonly Issue[]): FieldError[] {
  return issues.flatMap((issue) => {
    const path = ['interaction', ...(issue.path ?? [])];
    if (issue.code !== 'unrecognized_keys' || !Array.isArray(issue.keys)) return fieldErrors([{ ...issue, path }]);
    return issue.keys.flatMap((key: unknown) => fieldErrors([{ path: [...path, String(key)], message: 'is not known' }]).map((error) => ({ ...error, code: 'unsupported' })));
  });
}

function revisesErrors({ revises }: Interaction): FieldError[] {
  const problem = revises === undefined ? null : requestIdProblem(revises);
  return problem === null ? [] : [{ path: 'interaction.revises', code: 'invalid_id', message: problem }];
}

function callbackErrors({ resume }: Interaction): FieldError[] {
  const url = resume?.callback_url;
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return [];
  return [{ path: 'interaction.resume.callback_url', code: 'invalid_format', message: 'must be an http or https URL' }];
}

/** `1e20` is printed with 21 digits: a block within the request's limit may still grow past what a frame or an event can carry. */
function sizeErrors(interaction: Interaction): FieldError[] {
  const bytes = Buffer.byteLength(JSON.stringify(interaction));
  return bytes <= LIMITS.request ? [] : [{ path: 'interaction', code: 'too_large', message: `is longer than ${LIMITS.request} bytes when its numbers are written out` }];
}
