import { parseIdToken } from '@umpire/contract';
import { Text } from '@mantine/core';
import { useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useLocation } from 'wouter';
import { DecisionView } from '../decision/decision-view.tsx';
import { useSession } from '../session.tsx';
import { decisionPath } from '../words.ts';
import { BulkBar } from './bulk.tsx';
import { Departures } from './departures.tsx';
import { FilterBar } from './filters.tsx';
import { Help } from './help.tsx';
import { InboxList } from './inbox-list.tsx';
import type { InboxStore, InboxView } from './inbox-store.ts';
import { useInboxKeys } from './keys.ts';
import { arrange, NO_FILTERS } from './sorting.ts';

/** The inbox beside what is open; on a narrow screen one of the two. */
export function Workplace({ open }: { open: string | null }) {
  const { inbox } = useSession();
  const openId = useMemo(() => idOf(open), [open]);
  if (inbox === null) return openId === null ? <Text p="md">Nothing to decide with this key.</Text> : <DecisionView key={openId} requestId={openId} />;
  return <ReviewerWorkplace inbox={inbox} openId={openId} />;
}

const LINES: Record<InboxView['line'], string> = { live: 'live', polling: 'every few seconds', down: 'not connected: trying again' };

function ReviewerWorkplace({ inbox, openId }: { inbox: InboxStore; openId: string | null }) {
  const { who } = useSession();
  const view = useSyncExternalStore(inbox.subscribe, inbox.snapshot);
  const [filters, setFilters] = useState(NO_FILTERS);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<string | null>(null);
  const [help, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const [, navigate] = useLocation();
  const items = useMemo(() => arrange(view.items, filters, who.user_id!), [view.items, filters, who.user_id]);
  const selected = cursor ?? openId;
  useInboxKeys({ items, selected, openId, setCursor, navigate, focusSearch: () => search.current?.focus(), showHelp: () => setHelp(true) });
  const toggle = (id: string) => setMarked((before) => new Set(before.has(id) ? [...before].filter((one) => one !== id) : [...before, id]));
  const chosen = items.filter((item) => marked.has(item.request_id));
  return (
    <div className="workplace" data-open={openId !== null}>
      <section className="inbox" aria-labelledby="inbox-title">
        <div className="inbox-head">
          <h1 id="inbox-title" className="inbox-title">Pending <span className="count">{items.length === view.total ? view.total : `${items.length} of ${view.total}`}</span></h1>
          <span className="line" data-line={view.line} role="status">{LINES[view.line]}</span>
        </div>
        <FilterBar filters={filters} onChange={setFilters} items={view.items} searchRef={search} />
        <Departures departures={view.departures} onPutAway={(id) => inbox.putAway(id)} />
        <InboxList items={items} selected={selected} openId={openId} marked={marked} onToggle={toggle} loaded={view.loaded} filtered={filters !== NO_FILTERS} onHelp={() => setHelp(true)} />
        <BulkBar chosen={chosen} onDone={() => setMarked(new Set())} />
      </section>
      <section className="decision-pane" aria-label="Decision">
        {openId === null ? <p className="nothing-open">Choose an item. <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>?</kbd> shows every key.</p> : <DecisionView key={openId} requestId={openId} onNext={() => navigate(nextPath(items.map((item) => item.request_id), openId))} />}
      </section>
      <Help opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function nextPath(ids: string[], openId: string): string {
  const at = ids.indexOf(openId);
  const next = at < 0 ? ids[0] : (ids[at + 1] ?? ids[at - 1]);
  return next === undefined || next === openId ? '/' : decisionPath(next);
}

/** The id in a path: as it is, or `~` and its token. */
const idOf = (segment: string | null): string | null => (segment?.startsWith('~') ? (parseIdToken(segment.slice(1)) ?? segment) : segment);
