export type JsonErrorCode = 'invalid_utf8' | 'invalid_json' | 'too_deep';

/**
 * Text or bytes that are not acceptable JSON. `offset` counts UTF-16 units, or bytes when the code is `invalid_utf8`.
 * The message never quotes the input: it may hold what must not reach a log.
 */
export class JsonSyntaxError extends Error {
  readonly code: JsonErrorCode;
  readonly offset: number;

  constructor(code: JsonErrorCode, reason: string, offset: number) {
    super(`${reason} at ${code === 'invalid_utf8' ? 'byte' : 'offset'} ${offset}`);
    this.name = 'JsonSyntaxError';
    this.code = code;
    this.offset = offset;
  }
}
