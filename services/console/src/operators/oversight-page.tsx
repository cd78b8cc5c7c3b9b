import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Oversight } from '@umpire/client';
import { client } from '../api.ts';
import { decisionPath, duration, moment, REASON_WORDS, spoken } from '../words.ts';
import { Answer, Bars, Card, Page, Panel, Rows } from './parts.tsx';

const WINDOWS = [{ value: '7', label: 'Last 7 days' }, { value: '30', label: 'Last 30 days' }, { value: '90', label: 'Last 90 days' }];
const SPEEDS = [{ value: '150', label: '150 words a minute' }, { value: '240', label: '240 words a minute' }, { value: '400', label: '400 words a minute' }];
const REFRESH_MS = 30_000;

const seconds = (value: number | null): string => (value === null ? '–' : duration(value * 1_000));
const percent = (share: number | null): string => (share === null ? '–' : `${Math.round(100 * share)} %`);
const part = (count: number, of: number): string => (of === 0 ? '–' : `${count.toLocaleString()} of ${of.toLocaleString()}`);

/** How people decide: what each figure means stands in docs/oversight.md. */
export function OversightPage() {
  const [days, setDays] = useState('30');
  const [speed, setSpeed] = useState('240');
  const oversight = useQuery({
    queryKey: ['oversight', days, speed], queryFn: () => client.oversight({ days: Number(days), wordsPerMinute: Number(speed) }), refetchInterval: REFRESH_MS, placeholderData: (before) => before,
  });
  return (
    <Page title="Oversight" ready={!oversight.isPending} choices={(
      <>
        <NativeSelect size="md" className="window" label="Window" value={days} onChange={(event) => setDays(event.currentTarget.value)} data={WINDOWS} />
        <NativeSelect size="md" className="window" label="Speed of reading" value={speed} onChange={(event) => setSpeed(event.currentTarget.value)} data={SPEEDS} />
      </>
    )}>
      <Answer query={oversight}>{(data) => <Figures oversight={data} />}</Answer>
    </Page>
  );
}

function Figures({ oversight: { all, reasons, reviewers, agents, synthesis, reversals } }: { oversight: Oversight }) {
  return (
    <>
      <div className="cards">
        <Card name="decided by a deadline" value={percent(all.timeout_share)} />
        <Card name="half of the answers within" value={seconds(all.median_seconds)} />
        <Card name="faster than reading" value={part(all.faster_than_reading, all.readable)} />
        <Card name="decisions reversed" value={all.reversed.toLocaleString()} />
        <Card name="people agree with the synthesis" value={percent(synthesis.agreement)} />
      </div>
      <Panel title="By reason">
        <Rows numbers label="By reason" head={['Reason', 'By people', 'By deadline', 'Deadline’s share', 'Answers', 'Half within', '90 % within']}>
          {reasons.map((one) => (
            <tr key={one.reason}><th scope="row">{REASON_WORDS[one.reason]}</th><td>{one.human.toLocaleString()}</td><td>{one.timeout.toLocaleString()}</td><td>{percent(one.timeout_share)}</td><td>{one.answers.toLocaleString()}</td><td>{seconds(one.median_seconds)}</td><td>{seconds(one.p90_seconds)}</td></tr>
          ))}
        </Rows>
      </Panel>
      <Panel title="By reviewer">
        {reviewers.length === 0 ? <p className="muted">Nobody has answered in this window.</p> : (
          <Rows numbers label="By reviewer" head={['Reviewer', 'Answers', 'Half within', '90 % within', 'Faster than reading', 'Reversed']}>
            {reviewers.map((one) => (
              <tr key={one.user_id}><th scope="row">{one.user_id}</th><td>{one.answers.toLocaleString()}</td><td>{seconds(one.median_seconds)}</td><td>{seconds(one.p90_seconds)}</td><td>{part(one.faster_than_reading, one.readable)}</td><td>{one.reversed.toLocaleString()}</td></tr>
            ))}
          </Rows>
        )}
      </Panel>
      <Panel title="People agree with">
        <Bars whole={100} empty="No decision to compare: the agents' words are not among the options." bars={[
          ...(synthesis.agreement === null ? [] : [{ name: 'The synthesis', value: 100 * synthesis.agreement, text: `${percent(synthesis.agreement)} of ${(synthesis.agreed + synthesis.disagreed).toLocaleString()}` }]),
          ...agents.map((one) => ({ name: one.name, value: 100 * (one.agreement ?? 0), text: `${percent(one.agreement)} of ${(one.agreed + one.disagreed).toLocaleString()}` })),
        ]} />
      </Panel>
      <Panel title="Reversed decisions">
        {reversals.length === 0 ? <p className="muted">None in this window.</p> : (
          <Rows label="Reversed decisions" head={['Escalation', 'Was', 'By', 'Became', 'In', 'At']}>
            {reversals.map((one) => (
              <tr key={one.revised_by}><th scope="row"><Link href={decisionPath(one.request_id)} className="inline-link code">{one.request_id}</Link></th><td>{spoken(one.verdict)}</td><td>{one.reviewers.join(', ')}</td><td>{spoken(one.revised_verdict)}</td><td><Link href={decisionPath(one.revised_by)} className="inline-link code">{one.revised_by}</Link></td><td className="whole">{moment(one.revised_at)}</td></tr>
            ))}
          </Rows>
        )}
      </Panel>
    </>
  );
}
