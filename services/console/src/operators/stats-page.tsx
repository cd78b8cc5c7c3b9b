import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Stats } from '@umpire/client';
import { client } from '../api.ts';
import { duration, REASON_WORDS } from '../words.ts';
import { Columns } from './columns.tsx';
import { Answer, Bars, Card, Page, Panel, Rows } from './parts.tsx';

const WINDOWS = [{ value: '24', label: 'Last 24 hours' }, { value: '168', label: 'Last 7 days' }, { value: '720', label: 'Last 30 days' }];
const REFRESH_MS = 10_000;
const HOUR_MS = 3_600_000;
const MOST_PLACES = 60;

/** What is counted no further than a bound. */
const upTo = (value: number, bound: number): string => `${value.toLocaleString()}${value >= bound ? '+' : ''}`;
const seconds = (value: number | null): string => (value === null ? '–' : duration(value * 1_000));
const within = (value: number | null, any: number): string => (value === null ? (any > 0 ? 'over 1 d' : '–') : `≤ ${duration(value * 1_000)}`);

export function StatsPage() {
  const [hours, setHours] = useState('24');
  const stats = useQuery({ queryKey: ['stats', hours], queryFn: () => client.stats({ hours: Number(hours) }), refetchInterval: REFRESH_MS, placeholderData: (before) => before });
  return (
    <Page title="Statistics" ready={!stats.isPending} choices={<NativeSelect size="md" className="window" label="Window" value={hours} onChange={(event) => setHours(event.currentTarget.value)} data={WINDOWS} />}>
      <Answer query={stats}>{(data) => <Charts stats={data} />}</Answer>
    </Page>
  );
}

function Charts({ stats }: { stats: Stats }) {
  const sum = (of: (one: Stats['reasons'][number]) => number) => stats.reasons.reduce((total, one) => total + of(one), 0);
  const oldest = stats.reasons.flatMap((one) => one.oldest_pending_at ?? []).sort()[0];
  const [agreed, disagreed] = [sum((one) => one.agents_agreed), sum((one) => one.agents_disagreed)];
  return (
    <>
      <div className="cards">
        <Card name="pending" value={sum((one) => one.pending).toLocaleString()} />
        <Card name="oldest pending" value={oldest === undefined ? '–' : duration(Date.parse(stats.as_of) - Date.parse(oldest))} />
        <Card name="opened" value={sum((one) => one.opened).toLocaleString()} />
        <Card name="ended" value={sum((one) => one.ended).toLocaleString()} />
        <Card name="people agree with most agents" value={agreed + disagreed === 0 ? '–' : `${Math.round((100 * agreed) / (agreed + disagreed))} %`} />
      </div>
      <Panel title={`Opened and ended by ${stats.hours <= MOST_PLACES ? 'hour' : duration(placeMs(stats))}`}><Volumes stats={stats} /></Panel>
      <div className="two">
        <Panel title="Pending by reason"><Bars empty="Nothing is pending." bars={stats.reasons.map((one) => ({ name: REASON_WORDS[one.reason], value: one.pending }))} /></Panel>
        <Panel title="Outcomes by source">
          <Bars empty="Nothing has ended in this window." bars={[{ name: 'People', value: sum((one) => one.by_source.human), tone: 'good' }, { name: 'Deadline', value: sum((one) => one.by_source.timeout), tone: 'warn' }, { name: 'Cancelled', value: sum((one) => one.by_source.cancel) }]} />
        </Panel>
        <Panel title="Pending above the first level"><Bars empty="Nothing pending was raised." bars={stats.pending_levels.map((one) => ({ name: `Level ${one.level}`, value: one.pending, text: upTo(one.pending, stats.raised_bound), tone: 'warn' }))} /></Panel>
        <Panel title="Agents against people"><Bars empty="No decision to compare: the agents' words are not among the options." bars={[{ name: 'Same', value: agreed, tone: 'good' }, { name: 'Other', value: disagreed, tone: 'bad' }]} /></Panel>
      </div>
      <Panel title="Time to a decision by people">
        <Rows numbers label="Time to a decision" head={['Reason', 'Opened', 'Decided', 'Mean', 'Half within', '90 % within', 'Raised']}>
          {stats.reasons.map((one) => (
            <tr key={one.reason}><th scope="row">{REASON_WORDS[one.reason]}</th><td>{one.opened.toLocaleString()}</td><td>{one.by_source.human.toLocaleString()}</td><td>{seconds(one.mean_seconds)}</td><td>{within(one.p50_seconds, one.by_source.human)}</td><td>{within(one.p90_seconds, one.by_source.human)}</td><td>{one.raised.toLocaleString()}</td></tr>
          ))}
        </Rows>
      </Panel>
      <Panel title="Load by reviewer">
        {stats.people.length === 0 ? <p className="muted">Nobody is asked by name, and nobody has answered.</p> : (
          <Rows numbers label="Load by reviewer" head={['Reviewer', 'Open by name', 'Answers', 'Mean time']}>
            {stats.people.map((one) => <tr key={one.user_id}><th scope="row">{one.user_id}</th><td>{upTo(one.open, stats.open_bound)}</td><td>{one.votes.toLocaleString()}</td><td>{seconds(one.mean_seconds)}</td></tr>)}
          </Rows>
        )}
      </Panel>
    </>
  );
}

const placeMs = ({ hours }: Stats): number => Math.ceil(hours / MOST_PLACES) * HOUR_MS;

/** An hour each, or as many as fit the window; in each what was opened beside what has ended. */
function Volumes({ stats }: { stats: Stats }) {
  const size = placeMs(stats);
  const last = Math.floor(Date.parse(stats.as_of) / HOUR_MS) * HOUR_MS + HOUR_MS;
  const count = Math.ceil((stats.hours * HOUR_MS) / size);
  const places = Array.from({ length: count }, (_, index) => ({ from: new Date(last - (count - index) * size), to: new Date(last - (count - index - 1) * size), values: [0, 0] }));
  for (const { hour, opened, ended } of stats.series) {
    const values = places[count - 1 - Math.floor((last - 1 - Date.parse(hour)) / size)]?.values;
    if (values === undefined) continue;
    values[0]! += opened;
    values[1]! += ended;
  }
  return <Columns names={['opened', 'ended']} kinds={['opened', 'ended']} places={places} unit={`in ${duration(size)}`} />;
}
