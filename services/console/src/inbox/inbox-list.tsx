import type { EscalationItem } from '@umpire/client';
import { useEffect, useEffectEvent } from 'react';
import { Link } from 'wouter';
import { Age, Countdown } from '../countdown.tsx';
import { decisionPath, REASON_WORDS, spoken, titleOf } from '../words.ts';
import { bringIntoSight, useRowsInSight } from './rows-in-sight.ts';

/** Two lines of title, two of facts. */
const ROW_PX = 116;

type Props = {
  items: EscalationItem[];
  selected: string | null;
  openId: string | null;
  marked: ReadonlySet<string>;
  onToggle: (id: string) => void;
  loaded: boolean;
  filtered: boolean;
  onHelp: () => void;
};

/** Only the rows in sight exist: thousands of items scroll like ten. */
export function InboxList({ items, selected, openId, marked, onToggle, loaded, filtered, onHelp }: Props) {
  const { list, attach, from, to } = useRowsInSight(items.length, ROW_PX);
  // Where it stands may change with every frame: only a new selection scrolls.
  const show = useEffectEvent((id: string | null) => {
    const at = items.findIndex((item) => item.request_id === id);
    if (at >= 0 && list.current !== null) bringIntoSight(list.current, at, ROW_PX);
  });
  useEffect(() => show(selected), [selected]);
  if (items.length === 0) return <p className="empty">{!loaded ? 'Loading…' : filtered ? 'Nothing fits these filters.' : 'Nothing is waiting for you.'}</p>;
  return (
    <>
      <div ref={attach} className="rows" tabIndex={-1}>
        <ul className="row-space" style={{ height: items.length * ROW_PX }} aria-label="Pending items">
          {items.slice(from, to).map((item, index) => (
            <li key={item.request_id} className="row" style={{ transform: `translateY(${(from + index) * ROW_PX}px)`, height: ROW_PX }} aria-setsize={items.length} aria-posinset={from + index + 1}
              data-selected={item.request_id === selected} data-priority={item.priority} data-id={item.request_id}>
              <label className="mark"><input type="checkbox" checked={marked.has(item.request_id)} onChange={() => onToggle(item.request_id)} aria-label={`Mark ${titleOf(item)}`} /></label>
              <Row item={item} open={item.request_id === openId} />
            </li>
          ))}
        </ul>
      </div>
      <button type="button" className="keys-hint" onClick={onHelp}>Keys: press ?</button>
    </>
  );
}

function Row({ item, open }: { item: EscalationItem; open: boolean }) {
  return (
    <Link href={decisionPath(item.request_id)} className="row-link" aria-current={open ? 'true' : undefined}>
      <span className="row-title" title={titleOf(item)}>{titleOf(item)}</span>
      <span className="row-facts">
        {item.priority !== 'normal' && <span className="tag" data-priority={item.priority}>{spoken(item.priority)}</span>}
        <span>{REASON_WORDS[item.reason]}</span>
        <span>{spoken(item.pattern)}</span>
        {item.votes.length > 0 && <span>{item.votes.length} {item.votes.length === 1 ? 'vote' : 'votes'}</span>}
        {item.iteration > 1 && <span>round {item.iteration}</span>}
      </span>
      <span className="row-facts">
        <Countdown until={item.expires_at} overdue={item.overdue} />
        {item.claimed_by === null ? <Age since={item.created_at} /> : <span className="tag" data-kind="claim">claimed by {item.claimed_by}</span>}
        <span className="row-task">{item.task_id ?? item.request_id}</span>
      </span>
    </Link>
  );
}
