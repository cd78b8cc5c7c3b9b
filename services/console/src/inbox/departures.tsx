import { Link } from 'wouter';
import { decisionPath, outcomeSentence } from '../words.ts';
import type { Departure } from './inbox-store.ts';

/** What has left the inbox by somebody else's hand: who, and what. */
export function Departures({ departures, onPutAway }: { departures: readonly Departure[]; onPutAway: (requestId: string) => void }) {
  return (
    <ul className="departures" aria-live="polite" aria-label="Left the inbox">
      {departures.slice(0, 3).map(({ requestId, title, outcome, reassigned }) => (
        <li key={requestId} className="departure">
          <span>
            <strong>{outcome ? outcomeSentence(outcome) : reassigned ? 'Given to somebody else' : 'No longer pending'}</strong>
            <Link href={decisionPath(requestId)} className="departure-title">{title}</Link>
          </span>
          <button type="button" className="put-away" aria-label={`Put away the note on ${title}`} onClick={() => onPutAway(requestId)}>×</button>
        </li>
      ))}
      {departures.length > 3 && <li className="departure">and {departures.length - 3} more</li>}
    </ul>
  );
}
