import { tellSpan, type TraceContext } from '@umpire/runtime';
import type { Key, Transition } from './escalation.queries.ts';

type Asker = Key & { command: { type: string }; trace?: TraceContext };

/**
 * Tells of a transition in the trace of the escalation that it changed, linked with the requests that asked for it, which may belong
 * to other traces: a person's answer comes hours after the producer's message. It is told after the commit, since whose trace it is
 * stands in the row.
 * @param began ms since the epoch, as `traceClock` says
 * @returns what its events go on from
 */
export function tellTransition({ state, traceparent, events }: Transition, asked: Asker[], began: number): TraceContext {
  const parent = traceparent ?? undefined;
  if (parent === undefined) return undefined;
  const askers = asked.filter((one) => one.namespace === state.namespace && one.request_id === state.request_id);
  const attributes = { 'umpire.request_id': state.request_id, 'umpire.namespace': state.namespace, 'umpire.events': events.map((event) => event.type).join(' ') };
  const context = tellSpan(`store ${askers[0]?.command.type ?? 'change'}`, { parent, links: askers.map((one) => one.trace), attributes, startedAt: began });
  tellSpan('postgres decide', { parent: context, kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.operation.name': 'decide' }, startedAt: began });
  return context;
}
