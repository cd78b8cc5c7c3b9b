import { Alert, Loader } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { codeOf, messageOf } from '../api.ts';

/** An operators' page: its name, and `data-ready` once what it shows first is there, or is known not to come. */
export function Page({ title, ready, choices, children }: { title: string; ready: boolean; choices?: ReactNode; children: ReactNode }) {
  return <div className="page" data-ready={ready}><div className="page-head"><h1>{title}</h1>{choices !== undefined && <div className="page-choices">{choices}</div>}</div>{children}</div>;
}

/** What a question brought: its answer, that it is under way, or why there is none. */
export function Answer<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isPending) return <Loader aria-label="Loading" />;
  return <Alert color="gray" variant="light" title={codeOf(query.error) === 'not_found' ? 'Not offered by this server' : 'It could not be loaded'}>{messageOf(query.error)}</Alert>;
}

export const Panel = ({ title, children }: { title: string; children: ReactNode }) => <section className="part"><h2 className="panel-title">{title}</h2>{children}</section>;

/** A number with what it counts. */
export const Card = ({ name, value }: { name: string; value: string }) => <div className="card"><div className="card-value">{value}</div><div className="card-name">{name}</div></div>;

/** A table that scrolls by itself where it is too wide. @param numbers that every column but the first holds numbers */
export function Rows({ label, head, numbers = false, children }: { label: string; head: string[]; numbers?: boolean; children: ReactNode }) {
  return (
    <div className="scroll-x" tabIndex={0} role="group" aria-label={label}>
      <table className="rows-table" data-numbers={numbers}>
        <thead><tr>{head.map((name) => (name === '' ? <td key={name} /> : <th key={name} scope="col">{name}</th>))}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export type Bar = { name: string; value: number; text?: string; tone?: 'bad' | 'good' | 'warn' };

/** Numbers as bars beside each other; the numbers stand there too. @param whole what a full bar stands for: else the greatest of them */
export function Bars({ bars, empty, whole }: { bars: Bar[]; empty: string; whole?: number }) {
  const most = whole ?? Math.max(0, ...bars.map((bar) => bar.value));
  if (most === 0 || bars.length === 0) return <p className="muted">{empty}</p>;
  return (
    <div role="list" className="chart">
      {bars.map(({ name, value, text, tone }) => (
        <div key={name} className="chart-row" role="listitem">
          <span className="name">{name}</span>
          <span className="bar" aria-hidden="true"><span className="bar-fill" data-tone={tone} style={{ width: `${(100 * value) / most}%` }} /></span>
          <span className="chart-value">{text ?? value.toLocaleString()}</span>
        </div>
      ))}
    </div>
  );
}
