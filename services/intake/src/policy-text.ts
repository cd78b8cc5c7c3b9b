import { decodeUtf8, JsonSyntaxError, UmpireError } from '@umpire/contract';
import { readBody } from '@umpire/runtime';
import { parseDocument } from 'yaml';

/** An alias may stand for much; a document that grows beyond this when they are written out is not a policy. */
const MOST_ALIASES = 100;

/**
 * Reads a policy as JSON, or as YAML 1.2 where the content type says so.
 * @throws UmpireError `malformed_json`; `invalid` with line and column for YAML
 */
export function readPolicyText(bytes: Uint8Array, contentType: string | undefined): unknown {
  return /yaml/i.test(contentType ?? '') ? readYaml(bytes) : readBody(bytes);
}

function readYaml(bytes: Uint8Array): unknown {
  try {
    const document = parseDocument(decodeUtf8(bytes), { prettyErrors: true, uniqueKeys: true, logLevel: 'silent' });
    if (document.errors.length > 0) throw notYaml(document.errors.map((error) => error.message.split('\n')[0]!.replace(/:$/, '')));
    return document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown;
  } catch (error) {
    if (error instanceof UmpireError) throw error;
    if (error instanceof JsonSyntaxError || error instanceof ReferenceError) throw notYaml([error.message]);
    throw error;
  }
}

function notYaml(messages: string[]): UmpireError {
  return new UmpireError('invalid', 'the body is not YAML', { errors: messages.map((message) => ({ path: '', code: 'invalid_yaml', message })) });
}
