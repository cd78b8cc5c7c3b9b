import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Reason } from '@umpire/client';
import { ask } from '../api.ts';
import { duration, REASON_WORDS } from '../words.ts';
import { Answer, Bars, Page, Panel, Rows } from './parts.tsx';

/** `GET /hitl/stats`. */
type Stats = {
  as_of: string;
  hours: number;
  pending_bound: number;
  reasons: {
    reason: Reason; pending: number; oldest_pending_at: string | null; opened: number; ended: number; by_source: { human: number; timeout: number; cancel: number };
    mean_seconds: number | null; p50_seconds: number | null; p90_seconds: number | null; raised: number; agents_agreed: number; agents_disagreed: number;
  }[];
  pending_levels: { level: number; pending: number }[];
  series: { hour: string; opened: number; ended: number }[];
  people: { user_id: string; votes: number; mean_seconds: number | null; open: number }[];
};

const WINDOWS = [{ value: '24', label: 'Last 24 hours' }, { value: '168', label: 'Last 7 days' }, { value: '720', label: 'Last 30 days' }];
const REFRESH_MS = 10_000;
const HOUR_MS = 3_600_000;

const seconds = (value: number | null): string => (value === null ? '–' : duration(value * 1_000));
const within = (value: number | null, any: number): string => (value === null ? (any > 0 ? 'over 1 d' : '–') : `≤ ${duration(value * 1_000)}`);

export function StatsPage() {
  const [hours, setHours] = useState('24');
  const stats = useQuery({ queryKey: ['stats', hours], queryFn: () => ask<Stats>('/hitl/stats', { hours }), refetchInterval: REFRESH_MS, placeholderData: (before) => before });
  return (
    <Page title="Statistics" ready={!stats.isPending}>
      <NativeSelect size="md" className="window" label="Window" value={hours} onChange={(event) => setHours(event.currentTarget.value)} data={WINDOWS} />
      <Answer query={stats}>{(data) => <Charts stats={data} />}</Answer>
    </Page>
  );
}

function Charts({ stats }: { stats: Stats }) {
  const sum = (of: (one: Stats['reasons'][number]) => number) => stats.reasons.reduce((total, one) => total + of(one), 0);
  const capped = stats.reasons.some((one) => one.pending >= stats.pending_bound);
  const oldest = stats.reasons.flatMap((one) => one.oldest_pending_at ?? []).sort()[0];
  const [agreed, disagreed] = [sum((one) => one.agents_agreed), sum((one) => one.agents_disagreed)];
  return (
    <>
      <div className="cards">
        <Card name="pending" value={`${sum((one) => one.pending).toLocaleString()}${capped ? '+' : ''}`} />
        <Card name="oldest pending" value={oldest === undefined ? '–' : duration(Date.parse(stats.as_of) - Date.parse(oldest))} />
        <Card name="opened" value={sum((one) => one.opened).toLocaleString()} />
        <Card name="ended" value={sum((one) => one.ended).toLocaleString()} />
        <Card name="people agree with most agents" value={agreed + disagreed === 0 ? '–' : `${Math.round((100 * agreed) / (agreed + disagreed))} %`} />
      </div>
      <Panel title="Opened and ended by hour"><Columns stats={stats} /></Panel>
      <div className="two">
        <Panel title="Pending by reason"><Bars empty="Nothing is pending." bars={stats.reasons.map((one) => ({ name: REASON_WORDS[one.reason], value: one.pending }))} /></Panel>
        <Panel title="Outcomes by source">
          <Bars empty="Nothing has ended in this window." bars={[{ name: 'People', value: sum((one) => one.by_source.human), tone: 'good' }, { name: 'Deadline', value: sum((one) => one.by_source.timeout), tone: 'warn' }, { name: 'Cancelled', value: sum((one) => one.by_source.cancel) }]} />
        </Panel>
        <Panel title="Pending above the first level"><Bars empty="Nothing pending was raised." bars={stats.pending_levels.map((one) => ({ name: `Level ${one.level}`, value: one.pending, tone: 'warn' }))} /></Panel>
        <Panel title="Agents against people"><Bars empty="No decision to compare: the agents' words are not among the options." bars={[{ name: 'Same', value: agreed, tone: 'good' }, { name: 'Other', value: disagreed, tone: 'bad' }]} /></Panel>
      </div>
      <Panel title="Time to a decision by people">
        <Rows label="Time to a decision" head={['Reason', 'Opened', 'Decided', 'Mean', 'Half within', '90 % within', 'Raised']}>
          {stats.reasons.map((one) => (
            <tr key={one.reason}><th scope="row">{REASON_WORDS[one.reason]}</th><td>{one.opened.toLocaleString()}</td><td>{one.by_source.human.toLocaleString()}</td><td>{seconds(one.mean_seconds)}</td><td>{within(one.p50_seconds, one.by_source.human)}</td><td>{within(one.p90_seconds, one.by_source.human)}</td><td>{one.raised}</td></tr>
          ))}
        </Rows>
      </Panel>
      <Panel title="Load by reviewer">
        {stats.people.length === 0 ? <p className="muted">Nobody is asked by name, and nobody has answered.</p> : (
          <Rows label="Load by reviewer" head={['Reviewer', 'Open by name', 'Answers', 'Mean time']}>
            {stats.people.map((one) => <tr key={one.user_id}><th scope="row">{one.user_id}</th><td>{one.open}</td><td>{one.votes}</td><td>{seconds(one.mean_seconds)}</td></tr>)}
          </Rows>
        )}
      </Panel>
    </>
  );
}

const Card = ({ name, value }: { name: string; value: string }) => <div className="card"><div className="card-value">{value}</div><div className="card-name">{name}</div></div>;

/** At most 60 places: an hour each, or as many as fit the window; in each what was opened beside what has ended. */
function Columns({ stats }: { stats: Stats }) {
  const size = Math.ceil(stats.hours / 60) * HOUR_MS;
  const last = Math.floor(Date.parse(stats.as_of) / HOUR_MS) * HOUR_MS + HOUR_MS;
  const count = Math.ceil((stats.hours * HOUR_MS) / size);
  const places = Array.from({ length: count }, () => ({ opened: 0, ended: 0 }));
  for (const { hour, opened, ended } of stats.series) {
    const place = places[count - 1 - Math.floor((last - 1 - Date.parse(hour)) / size)];
    if (place === undefined) continue;
    place.opened += opened;
    place.ended += ended;
  }
  const most = Math.max(1, ...places.flatMap(({ opened, ended }) => [opened, ended]));
  const total = (of: 'opened' | 'ended') => places.reduce((sum, place) => sum + place[of], 0);
  const height = (value: number) => ({ height: `${(100 * value) / most}%` });
  return (
    <>
      <p className="row-facts legend"><span data-kind="opened">opened</span><span data-kind="ended">ended</span></p>
      <div className="columns" role="img" aria-label={`${total('opened')} opened, ${total('ended')} ended; at most ${most} in ${duration(size)}`}>
        {places.map(({ opened, ended }, index) => (
          <span key={index} className="place" title={`${new Date(last - (count - index) * size).toLocaleString()}: ${opened} opened, ${ended} ended`}>
            <span className="column" data-kind="opened" style={height(opened)} /><span className="column" data-kind="ended" style={height(ended)} />
          </span>
        ))}
      </div>
      <p className="row-facts axis"><span>{new Date(last - count * size).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}</span><span>now</span></p>
    </>
  );
}
