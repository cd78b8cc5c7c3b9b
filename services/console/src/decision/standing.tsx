import type { EscalationItem, Outcome } from '@umpire/client';
import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { idToken } from '@umpire/contract';
import { ask } from '../api.ts';
import { Countdown } from '../countdown.tsx';
import { moment, spoken } from '../words.ts';
import { Section } from './section.tsx';

/** `GET /hitl/escalations/{id}/explain`, as far as it is shown. */
type Explanation = {
  why: string;
  quorum: { needs: string; tally: Record<string, number> };
  votes: { user_id: string; seat: string; verdict: string; at: string; counts: boolean; why_not?: string }[];
  can_decide: { users: string[]; roles: string[]; delegates: { user_id: string; for: string }[]; only: string | null };
  excluded: string[];
  veto: { holders: string[]; waiting_for: string[] };
  on_timeout: string;
  policy: { id: string; version: number } | null;
  next: { due_at: string; effect: string } | null;
  outcome: Outcome | null;
};

/** The votes so far, what they need, who may still decide, and what happens next by itself. */
export function Standing({ item }: { item: EscalationItem }) {
  const { data } = useQuery({
    queryKey: ['explain', item.request_id, item.seq],
    queryFn: () => ask<Explanation>(`/hitl/escalations/~${idToken(item.request_id)}/explain`),
    placeholderData: (before) => before,
  });
  if (data === undefined) return null;
  const people = [...data.can_decide.users, ...data.can_decide.roles.map((role) => `anyone with role ${role}`), ...data.can_decide.delegates.map((one) => `${one.user_id} (for ${one.for})`)];
  return (
    <Section title="Where it stands">
      <p className="why">{data.why.charAt(0).toUpperCase() + data.why.slice(1)}.</p>
      {data.votes.length > 0 && <Votes votes={data.votes} />}
      <dl className="facts">
        <Fact name="Needs">{data.quorum.needs}</Fact>
        {people.length > 0 && <Fact name="Can decide">{people.join(', ')}</Fact>}
        {data.can_decide.only !== null && <Fact name="Claimed by">{data.can_decide.only}</Fact>}
        {data.excluded.length > 0 && <Fact name="Excluded">{data.excluded.join(', ')}</Fact>}
        {data.veto.holders.length > 0 && <Fact name="May veto">{data.veto.holders.join(', ')}</Fact>}
        {data.next !== null && <Fact name="Next"><Countdown until={data.next.due_at} />: {data.next.effect}</Fact>}
        <Fact name="At the deadline">{spoken(data.on_timeout)}</Fact>
        <Fact name="Policy">{data.policy === null ? 'none: defaults' : `${data.policy.id}, version ${data.policy.version}`}</Fact>
      </dl>
    </Section>
  );
}

function Votes({ votes }: { votes: Explanation['votes'] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="group" aria-label="Votes so far">
      <table className="rows-table votes">
        <thead><tr><th scope="col">Who</th><th scope="col">Said</th><th scope="col">When</th></tr></thead>
        <tbody>
          {votes.map((vote) => (
            <tr key={`${vote.user_id} ${vote.seat} ${vote.at}`} data-counts={vote.counts}>
              <td>{vote.user_id}{vote.seat !== vote.user_id && ` for ${vote.seat}`}</td>
              <td>{spoken(vote.verdict)}{!vote.counts && ` (does not count: ${vote.why_not ?? ''})`}</td>
              <td>{moment(vote.at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => <div className="fact"><dt>{name}</dt><dd>{children}</dd></div>;
