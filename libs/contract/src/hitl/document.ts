import type { FieldError } from '../errors.ts';
import type { JsonNode } from '../json/nodes.ts';
import { readJson } from '../json/reader.ts';
import { JsonSyntaxError } from '../json/syntax-error.ts';
import { decodeUtf8 } from '../json/utf8.ts';
import { rawText, toValue } from '../json/values.ts';
import { writeJson } from '../json/writer.ts';
import type { HITLRequest } from './schemas.ts';
import { validateHitlRequest } from './validate.ts';

/** A HITLRequest together with the text that it was read from, so that nothing of it is lost on the way on. */
export class HitlDocument {
  /** Plain values, for reading. Numbers are doubles: where the text matters, ask the node. */
  readonly request: HITLRequest;
  readonly node: JsonNode;
  /** The request exactly as the producer wrote it, without white space around it. */
  readonly text: string;

  constructor(request: HITLRequest, node: JsonNode, text: string) {
    this.request = request;
    this.node = node;
    this.text = text;
  }
}

export type ParsedHitlRequest =
  | { readonly ok: true; readonly document: HitlDocument }
  | { readonly ok: false; readonly errors: FieldError[] };

/** Reads and checks a HITLRequest; what is wrong comes back as errors, malformed JSON and UTF-8 included. */
export function parseHitlRequest(input: string | Uint8Array): ParsedHitlRequest {
  let text: string;
  let node: JsonNode;
  try {
    text = typeof input === 'string' ? input : decodeUtf8(input);
    node = readJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      return { ok: false, errors: [{ path: '', code: error.code, message: error.message }] };
    }
    throw error;
  }
  const validation = validateHitlRequest(node);
  if (!validation.ok) {
    return validation;
  }
  // The validator has just shown that the value has this shape.
  return { ok: true, document: new HitlDocument(toValue(node) as unknown as HITLRequest, node, rawText(node, text)) };
}

/**
 * JSON text of a request. A parsed document gives back its own text unchanged: microseconds, number text, unknown and even
 * duplicate members included. A request built from values is written compactly; nodes inside it keep their number text.
 */
export function serializeHitlRequest(request: HitlDocument | HITLRequest): string {
  return request instanceof HitlDocument ? request.text : writeJson(request);
}
