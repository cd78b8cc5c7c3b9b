import { member, rawText, readJson, SCHEMA_VERSION, toValue, type Outcome } from '@umpire/contract';
import { formOf, type EscalationState } from '@umpire/domain';
import { spliceMember } from './event-record.ts';
import type { Document } from './read.queries.ts';

/**
 * What people see of an escalation, as JSON text: the seed's `InteractionResponse` and what stands beside it. `data` is the
 * producer's own text. It depends on the row's version alone, so it may be cached under it.
 */
export function renderItem(document: Document): string {
  const { state } = document;
  const item = {
    interaction_id: state.request_id,
    request_id: state.request_id,
    schema_version: SCHEMA_VERSION,
    namespace: state.namespace,
    kind: state.kind,
    reason: state.reason,
    status: state.status,
    seq: state.seq,
    revision: state.revision,
    created_at: iso(state.opened_at),
    expires_at: state.deadline === null ? null : iso(state.deadline),
    overdue: state.overdue,
    pattern: state.rules.pattern,
    priority: state.rules.priority,
    prompt: state.rules.prompt ?? null,
    ui_schema: formOf(state, currentResult(document)),
    review_data: state.rules.review_data ?? null,
    verdict_field: state.rules.verdict_field,
    options: state.rules.options,
    quorum: state.rules.quorum,
    veto: state.rules.veto,
    on_timeout: state.rules.on_timeout,
    default_action: state.rules.default_action ?? null,
    revises: state.rules.revises ?? null,
    electorate: state.electorate,
    groups: state.rules.assignees.groups,
    excluded: state.excluded,
    claimed_by: state.claim?.user_id ?? null,
    claimed_until: state.claim ? iso(state.claim.until) : null,
    level: state.level,
    iteration: state.iteration,
    current_result: state.current_result ?? null,
    history: state.history.map((round) => ({ iteration: round.iteration, user_id: round.user_id, at: iso(round.at), response: round.response })),
    votes: state.votes.map((vote) => ({
      user_id: vote.user_id, verdict: vote.verdict, at: iso(vote.at), revision: vote.revision,
      ...(vote.on_behalf_of === undefined ? {} : { on_behalf_of: vote.on_behalf_of }),
      ...(vote.set_aside ? { set_aside: true } : {}),
    })),
    policy: state.policy,
    pipeline_name: state.pipeline_name ?? null,
    step_name: state.step_name ?? null,
    task_id: document.task_id,
    summary: document.summary,
    outcome: state.outcome,
    ...(state.erased ? { erased_at: iso(state.erased.at) } : {}),
    consumed: state.consumed ? { consumer_id: state.consumed.consumer_id, at: iso(state.consumed.at) } : null,
  };
  let text = JSON.stringify(item);
  for (const [name, value] of besideData(document)) text = spliceMember(text, name, value);
  return spliceMember(text, 'data', ownData(document) ?? 'null');
}

/** What an interaction's producer gave beside its data, as it was written: what the automation got so far, and its own remarks. */
function besideData({ state, body }: Pick<Document, 'state' | 'body'>): [string, string][] {
  if (state.kind === 'escalation' || body === null) return [];
  const payload = readJson(body);
  return ['partial_result', 'metadata'].flatMap((name): [string, string][] => {
    const value = member(payload, name);
    return value ? [[name, rawText(value, body)]] : [];
  });
}

/** What the first refinement round starts from (the seed: `data.current_result`, else the data itself). Other patterns need none. */
function currentResult(document: Document): { current_result?: unknown } {
  if (document.state.rules.pattern !== 'refinement' || document.state.current_result !== undefined) return {};
  const text = ownData(document);
  if (text === null) return {};
  const data = readJson(text);
  return { current_result: toValue(member(data, 'current_result') ?? data) };
}

/**
 * @returns the JSON text of what the producer gave to be decided on: the HITLRequest, or an interaction's `data`; null where it
 * was erased.
 */
export function ownData(document: Pick<Document, 'state' | 'body'>): string | null {
  const { body, state } = document;
  if (body === null || state.kind === 'escalation') return body;
  const data = member(readJson(body), 'data');
  return data ? rawText(data, body) : null;
}

/** An outcome as pipelines read it: with `data`, untouched, and `merged`, which is data overlaid with the response (the seed's resume). */
export function renderOutcome(outcome: Outcome, data: string | null): string {
  const withData = spliceMember(JSON.stringify(outcome), 'data', data ?? 'null');
  return spliceMember(withData, 'merged', mergeText(data, outcome.response));
}

/** `{...data, ...response}` that keeps the data's number text. What is not an object gives way to the response. */
function mergeText(data: string | null, response: unknown): string {
  const overlay = typeof response === 'object' && response !== null && !Array.isArray(response) ? (response as Record<string, unknown>) : {};
  const members = new Map<string, string>();
  if (data !== null) {
    const node = readJson(data);
    if (node.kind === 'object') for (const entry of node.members) members.set(entry.name, rawText(entry.value, data));
  }
  for (const [name, value] of Object.entries(overlay)) members.set(name, JSON.stringify(value));
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** What `status` tells (the seed's fields first), as JSON text. */
export function renderStatus(state: EscalationState, data: string | null): string {
  const status = JSON.stringify({
    interaction_id: state.request_id,
    status: state.status,
    created_at: iso(state.opened_at),
    expires_at: state.deadline === null ? null : iso(state.deadline),
    overdue: state.overdue,
    seq: state.seq,
    revision: state.revision,
    iteration: state.iteration,
    claimed_by: state.claim?.user_id ?? null,
  });
  return state.outcome ? spliceMember(status, 'outcome', renderOutcome(state.outcome as Outcome, data)) : status;
}

const iso = (ms: number) => new Date(ms).toISOString();
