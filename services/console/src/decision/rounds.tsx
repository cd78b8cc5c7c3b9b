import type { EscalationItem } from '@umpire/client';
import { moment } from '../words.ts';
import { asText, diffLines } from './diff.ts';

const MARK = { same: ' ', gone: '−', new: '+' } as const;
const SAID = { same: '', gone: 'removed: ', new: 'added: ' } as const;

/** What each refinement round changed, and what a review suggests instead. */
export function Rounds({ item }: { item: EscalationItem }) {
  const texts = roundTexts(item);
  const suggestion = suggestionOf(item);
  if (texts.length < 2 && suggestion === null) return null;
  return (
    <section className="part">
      <h3>{texts.length >= 2 ? 'Rounds so far' : 'Suggested changes'}</h3>
      {texts.slice(1).map(({ label, text, notes }, index) => (
        <div key={label}>
          <p className="row-facts"><strong>{label}</strong>{notes !== null && <span>{notes}</span>}</p>
          <Diff before={texts[index]!.text} after={text} />
        </div>
      ))}
      {suggestion !== null && <Diff before={suggestion.before} after={suggestion.after} />}
    </section>
  );
}

type RoundText = { label: string; text: string; notes: string | null };

function roundTexts(item: EscalationItem): RoundText[] {
  if (item.history.length === 0) return [];
  const first: RoundText = { label: 'Start', text: asText(startOf(item)), notes: null };
  return [first, ...item.history.map(({ iteration, user_id, at, response }): RoundText => {
    const notes = response['refinement_notes'];
    return { label: `Round ${iteration}: ${user_id}, ${moment(at)}`, text: asText(response['refined_result'] ?? response), notes: typeof notes === 'string' ? notes : null };
  })];
}

function startOf({ data }: EscalationItem): unknown {
  return typeof data === 'object' && data !== null && 'current_result' in data ? data.current_result : data;
}

/** What is compared by its changes needs no second showing. */
export function reviewRest(item: EscalationItem): Record<string, unknown> | null {
  const { review_data: review } = item;
  if (review === null || suggestionOf(item) === null) return review;
  const rest = Object.fromEntries(Object.entries(review).filter(([name]) => name !== 'content' && name !== 'suggestions'));
  return Object.keys(rest).length === 0 ? null : rest;
}

function suggestionOf({ review_data: review }: EscalationItem): { before: string; after: string } | null {
  if (typeof review?.['content'] !== 'string' || typeof review['suggestions'] !== 'string') return null;
  return { before: review['content'], after: review['suggestions'] };
}

function Diff({ before, after }: { before: string; after: string }) {
  return (
    <div className="diff" role="group" aria-label="Changes" tabIndex={0}>
      {diffLines(before, after).map(({ kind, text }, index) => (
        <div key={index} className="diff-line" data-kind={kind}>
          <span aria-hidden="true" className="diff-mark">{MARK[kind]}</span>
          <span className="visually-hidden">{SAID[kind]}</span>
          {text}
        </div>
      ))}
    </div>
  );
}
