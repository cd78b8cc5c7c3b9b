import type { EscalationItem } from '@umpire/client';
import { NativeSelect, TextInput } from '@mantine/core';
import { useMemo, type RefObject } from 'react';
import { useSession } from '../session.tsx';
import { REASON_WORDS, spoken } from '../words.ts';
import { SORTS, viaOf, type Filters, type Sort } from './sorting.ts';

type Props = { filters: Filters; onChange: (filters: Filters) => void; items: readonly EscalationItem[]; searchRef: RefObject<HTMLInputElement | null> };

export function FilterBar({ filters, onChange, items, searchRef }: Props) {
  const { who } = useSession();
  const offered = useMemo(() => ({
    reasons: [...new Set(items.map((item) => item.reason))].sort(),
    patterns: [...new Set(items.map((item) => item.pattern))].sort(),
    ways: [...new Set(items.flatMap((item) => viaOf(item, who.user_id!)))].sort(),
  }), [items, who.user_id]);
  const set = (part: Partial<Filters>) => onChange({ ...filters, ...part });
  return (
    <div className="filters" role="search">
      <TextInput ref={searchRef} className="filter-text" aria-label="Search in the inbox" placeholder="Search" rightSection={<kbd className="key-hint">/</kbd>} rightSectionPointerEvents="none" value={filters.text} onChange={(event) => set({ text: event.currentTarget.value })} />
      <NativeSelect size="md" aria-label="Sort by" value={filters.sort} onChange={(event) => set({ sort: event.currentTarget.value as Sort })} data={SORTS.map((sort) => ({ value: sort, label: `By ${sort}` }))} />
      <NativeSelect size="md" aria-label="Reason" value={filters.reason} onChange={(event) => set({ reason: event.currentTarget.value })} data={[{ value: '', label: 'Any reason' }, ...offered.reasons.map((reason) => ({ value: reason, label: REASON_WORDS[reason] }))]} />
      <NativeSelect size="md" aria-label="Pattern" value={filters.pattern} onChange={(event) => set({ pattern: event.currentTarget.value })} data={[{ value: '', label: 'Any pattern' }, ...offered.patterns.map((pattern) => ({ value: pattern, label: spoken(pattern) }))]} />
      <NativeSelect size="md" aria-label="Group" value={filters.via} onChange={(event) => set({ via: event.currentTarget.value })} data={[{ value: '', label: 'Any way to me' }, ...offered.ways]} />
    </div>
  );
}
