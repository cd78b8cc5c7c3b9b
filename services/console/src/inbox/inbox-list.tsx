import type { EscalationItem } from '@umpire/client';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { Age, Countdown } from '../countdown.tsx';
import { decisionPath, REASON_WORDS, spoken, titleOf } from '../words.ts';

const ROW_PX = 96;

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
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: 6, getItemKey: (index) => items[index]!.request_id });
  const at = items.findIndex((item) => item.request_id === selected);
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: 'auto' });
    // Where it stands may change with every frame: only a new selection scrolls.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected]);
  if (items.length === 0) return <p className="empty">{!loaded ? 'Loading…' : filtered ? 'Nothing fits these filters.' : 'Nothing is waiting for you.'}</p>;
  return (
    <>
      <div ref={scroller} className="rows" tabIndex={-1}>
        <ul className="row-space" style={{ height: rows.getTotalSize() }} aria-label="Pending items">
          {rows.getVirtualItems().map((row) => {
            const item = items[row.index]!;
            return (
              <li key={row.key} className="row" style={{ transform: `translateY(${row.start}px)`, height: ROW_PX }} aria-setsize={items.length} aria-posinset={row.index + 1}
                data-selected={item.request_id === selected} data-priority={item.priority} data-id={item.request_id}>
                <label className="mark"><input type="checkbox" checked={marked.has(item.request_id)} onChange={() => onToggle(item.request_id)} aria-label={`Mark ${titleOf(item)}`} /></label>
                <Row item={item} open={item.request_id === openId} />
              </li>
            );
          })}
        </ul>
      </div>
      <button type="button" className="keys-hint" onClick={onHelp}>Keys: press ?</button>
    </>
  );
}

function Row({ item, open }: { item: EscalationItem; open: boolean }) {
  return (
    <Link href={decisionPath(item.request_id)} className="row-link" aria-current={open ? 'true' : undefined}>
      <span className="row-title">{titleOf(item)}</span>
      <span className="row-facts">
        {item.priority !== 'normal' && <span className="tag" data-priority={item.priority}>{spoken(item.priority)}</span>}
        <span>{REASON_WORDS[item.reason]}</span>
        <span>{spoken(item.pattern)}</span>
        {item.claimed_by !== null && <span className="tag" data-kind="claim">claimed by {item.claimed_by}</span>}
        {item.votes.length > 0 && <span>{item.votes.length} {item.votes.length === 1 ? 'vote' : 'votes'}</span>}
        {item.iteration > 1 && <span>round {item.iteration}</span>}
      </span>
      <span className="row-facts"><Countdown until={item.expires_at} overdue={item.overdue} /><Age since={item.created_at} /></span>
    </Link>
  );
}
