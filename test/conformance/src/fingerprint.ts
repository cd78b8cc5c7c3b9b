import { contentDigest, hitlRequestId, humanReviewRequestId, idToken, member, readJson, stringMember, toHex, toValue } from '@umpire/contract';

/** Everything that is derived from a document's content alone. The Python script in `python/` prints the same. */
export interface Fingerprint {
  /** The deterministic id of the document as a HITLRequest. */
  readonly id: string;
  /** Hex of the content digest as a HITLRequest. */
  readonly digest: string;
  /** Hex of the content digest as a pipeline interaction, with the document as `interaction` too. */
  readonly whole: string;
  /** Token of its `request_id`, if it has one that UTF-8 can hold. */
  readonly token: string | null;
  /** The id as a deprecated review request, if it is one. */
  readonly legacy_id: string | null;
}

/** @throws JsonSyntaxError when the line is no JSON text. */
export function fingerprint(line: string): Fingerprint {
  const node = readJson(line);
  const requestId = stringMember(node, 'request_id');
  const taskId = stringMember(node, 'task_id');
  const evaluation = member(node, 'evaluation_result');
  const evaluationId = member(evaluation, 'request_id');
  const legacy = evaluation === undefined || taskId === undefined ? null : humanReviewRequestId(taskId, evaluationId && toValue(evaluationId));
  return {
    id: hitlRequestId(node),
    digest: toHex(contentDigest(node, undefined, { hitlRequest: true })),
    whole: toHex(contentDigest(node, node, { hitlRequest: false })),
    token: requestId?.isWellFormed() ? idToken(requestId) : null,
    legacy_id: legacy,
  };
}
