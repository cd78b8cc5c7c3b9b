import type { TimelineEntry } from '@umpire/client';
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { client } from '../api.ts';
import { moment, spoken } from '../words.ts';
import { CommentForm } from './comment.tsx';
import { Section } from './section.tsx';
import { Tree } from './tree.tsx';

const PAGE = 100;

/** The record: what happened, in order, with actors. Remarks are taken until it is settled. */
export function Timeline({ requestId, seq, pending }: { requestId: string; seq: number; pending: boolean }) {
  const log = useInfiniteQuery({
    queryKey: ['timeline', requestId, seq],
    queryFn: ({ pageParam }) => client.timeline(requestId, { limit: PAGE, after: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
  });
  if (log.data === undefined) return null;
  return (
    <Section title="Timeline">
      <ol className="timeline">{log.data.pages.flatMap((page) => page.items).map((entry) => <Entry key={entry.id} entry={entry} />)}</ol>
      {log.hasNextPage && <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>Show more</Button>}
      {pending && <CommentForm requestId={requestId} />}
    </Section>
  );
}

function Entry({ entry }: { entry: TimelineEntry }) {
  const rest = Object.fromEntries(Object.entries(entry.data ?? {}).filter(([name]) => name !== 'clocks'));
  return (
    <li className="entry">
      <span className="entry-head"><strong>{spoken(entry.type)}</strong> <span>{actorOf(entry)}</span> <time dateTime={entry.occurred_at}>{moment(entry.occurred_at)}</time></span>
      {typeof rest['text'] === 'string' && <p className="comment">{rest['text']}</p>}
      {Object.keys(rest).length > 0 && <details><summary>Details</summary><Tree value={rest} /></details>}
    </li>
  );
}

function actorOf({ actor }: TimelineEntry): string {
  if (actor === null) return 'by somebody whose name was erased';
  const name = actor['user_id'] ?? actor['kind'];
  const behalf = actor['on_behalf_of'];
  return typeof name === 'string' ? `by ${name}${typeof behalf === 'string' ? ` for ${behalf}` : ''}` : '';
}
