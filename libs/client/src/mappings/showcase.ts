import { UmpireError } from '@umpire/contract';
import type { UmpireClient } from '../client.ts';

/** The body that the upstream showcase's page posts to `/{interaction_id}/respond`. */
export type ShowcaseResponse = { human_input: Record<string, unknown>; responded_by?: string | null | undefined };

const PATH = /\/([^/]+)\/respond\/?$/;

/**
 * Answers the upstream showcase's `POST …/{interaction_id}/respond`, so that a page written for it decides here. A handler of the fetch
 * standard: mount it below any prefix. Not supported: the showcase's lists by execution and its `cleanup-expired`, which have no
 * counterpart, since expiry is the server's own.
 * @param clientFor the client with the credential of the person who asks: `responded_by` must be theirs
 */
export function showcaseRespond(clientFor: (request: Request) => UmpireClient | Promise<UmpireClient>): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      const interactionId = idIn(new URL(request.url).pathname);
      if (request.method !== 'POST' || interactionId === null) return Response.json({ detail: 'Not Found' }, { status: 404 });
      const body = (await request.json().catch(() => null)) as ShowcaseResponse | null;
      if (typeof body?.human_input !== 'object' || body.human_input === null) return Response.json({ detail: 'human_input must be an object' }, { status: 422 });
      const client = await clientFor(request);
      const reply = await client.respond(interactionId, body.human_input, { ...(body.responded_by ? { userId: body.responded_by } : {}), signal: request.signal });
      const message = reply.state === 'pending' ? 'Response recorded; others have to respond as well' : 'Response recorded and pipeline resumed';
      return Response.json({ status: 'success', message, interaction_id: interactionId, execution_id: null });
    } catch (error) {
      return refusal(error);
    }
  };
}

function idIn(path: string): string | null {
  try {
    return decodeURIComponent(PATH.exec(path)?.[1] ?? '') || null;
  } catch {
    return null;
  }
}

/** The showcase says 400 for whatever is over; the real outcome stands beside it. */
function refusal(error: unknown): Response {
  if (!(error instanceof UmpireError)) throw error;
  const { code, message, errors, extra } = error;
  const status = error.status === 409 ? 400 : error.status;
  const outcome = extra['outcome'] === undefined ? {} : { outcome: extra['outcome'] };
  return Response.json({ detail: message, code, ...(errors.length > 0 ? { errors } : {}), ...outcome }, { status });
}
