import type { EscalationItem } from '@umpire/client';
import { Alert, Button, Loader } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { client, codeOf, messageOf } from '../api.ts';
import { Countdown } from '../countdown.tsx';
import { isAdmin, useSession } from '../session.tsx';
import { moment, outcomeSentence, REASON_WORDS, spoken, titleOf } from '../words.ts';
import { Actions } from './actions.tsx';
import { Agents } from './agents.tsx';
import { AnswerForm } from './answer-form.tsx';
import { ClaimButton } from './claim.tsx';
import { Deliveries } from './deliveries.tsx';
import { readRequest } from './hitl-request.ts';
import { reviewRest, Rounds } from './rounds.tsx';
import { Section } from './section.tsx';
import { Standing } from './standing.tsx';
import { Timeline } from './timeline.tsx';
import { Tree } from './tree.tsx';

/** One escalation: what is asked, what is known, who has said what, and the answer. */
export function DecisionView({ requestId, onNext }: { requestId: string; onNext?: () => void }) {
  const { inbox } = useSession();
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ['escalation', requestId],
    queryFn: () => client.get(requestId),
    // The list has it already: shown at once, and read again behind it.
    initialData: () => inbox?.itemOf(requestId),
    initialDataUpdatedAt: 0,
  });
  useEffect(() => {
    const renew = () => void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === requestId });
    const stop = inbox?.onChange(requestId, renew);
    // Without a socket an open item is looked at again now and then.
    const slow = setInterval(() => inbox?.snapshot().line !== 'live' && renew(), 5_000);
    return () => {
      stop?.();
      clearInterval(slow);
    };
  }, [inbox, queries, requestId]);
  if (found.data === undefined) {
    if (found.isPending) return <Loader m="lg" aria-label="Loading" />;
    const none = codeOf(found.error) === 'not_found' || codeOf(found.error) === 'forbidden';
    return <div className="decision"><Link href="/" className="back">← Inbox</Link><Alert color="red" variant="light" title={none ? 'This is not here, or not yours to read' : 'It could not be loaded'}>{messageOf(found.error)}</Alert></div>;
  }
  return <Decision item={found.data} onNext={onNext} stale={found.isError} />;
}

function Decision({ item, onNext, stale }: { item: EscalationItem; onNext: (() => void) | undefined; stale: boolean }) {
  const { who, inbox } = useSession();
  const request = item.kind === 'escalation' ? readRequest(item.data) : null;
  const review = reviewRest(item);
  return (
    <article className="decision" data-request={item.request_id}>
      <Link href="/" className="back">← Inbox</Link>
      <header className="decision-head">
        <p className="row-facts">
          <span className="tag" data-priority={item.priority}>{spoken(item.priority)}</span>
          <span>{REASON_WORDS[item.reason]}</span>
          <span>{spoken(item.pattern)}</span>
          {item.level > 0 && <span>level {item.level}</span>}
          {item.iteration > 1 && <span>round {item.iteration}</span>}
          {item.status === 'pending' ? <Countdown until={item.expires_at} overdue={item.overdue} /> : <span className="tag">{spoken(item.status)}</span>}
        </p>
        <h2 className="decision-title">{titleOf(item)}</h2>
        {item.summary !== null && item.summary !== titleOf(item) && <p className="summary">{item.summary}</p>}
        <p className="row-facts">
          <span>{item.pipeline_name === null ? `Task ${item.task_id ?? item.request_id}` : `${item.pipeline_name} › ${item.step_name ?? ''}`}</span>
          <span>asked {moment(item.created_at)}</span>
          {item.revises !== null && <span>revises {item.revises}</span>}
        </p>
        {item.status === 'pending' && <div className="claim"><ClaimButton item={item} /><Actions item={item} /></div>}
      </header>
      {stale && <Alert color="yellow" variant="light">The server does not answer at the moment: this is what it last said.</Alert>}
      <Settled item={item} onNext={onNext} />
      {request !== null && <Agents request={request} />}
      <Rounds item={item} />
      {review !== null && <Section title="To review"><Tree value={review} /></Section>}
      {inbox !== null && <AnswerForm item={item} onNext={onNext} />}
      <Standing item={item} />
      {request === null ? <Section title="Data"><Tree value={item.data} /></Section> : <Section title="Metadata"><Tree value={request.rest} /></Section>}
      <Timeline requestId={item.request_id} seq={item.seq} pending={item.status === 'pending'} />
      {isAdmin(who) && <Deliveries requestId={item.request_id} seq={item.seq} />}
    </article>
  );
}

/** The outcome, once there is one: whoever decided, this is the truth. */
function Settled({ item, onNext }: { item: EscalationItem; onNext: (() => void) | undefined }) {
  if (item.outcome === null) return null;
  const good = item.outcome.source === 'human';
  return (
    <Alert color={good ? 'blue' : 'gray'} variant="light" role="status" title={outcomeSentence(item.outcome)} className="settled">
      <p>{moment(item.outcome.decided_at)}. Nothing more can be answered here.</p>
      {onNext !== undefined && <Button variant="default" onClick={onNext} mt="xs">Next item</Button>}
    </Alert>
  );
}
