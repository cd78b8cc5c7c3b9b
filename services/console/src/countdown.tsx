import { useSyncExternalStore } from 'react';
import { serverNow } from './clock.ts';
import { duration } from './words.ts';

// One ticker for the page: every countdown changes in the same moment.
const listeners = new Set<() => void>();
let second = Math.floor(serverNow() / 1_000);
let ticker: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticker ??= setInterval(() => {
    second = Math.floor(serverNow() / 1_000);
    for (const one of listeners) one();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticker);
    ticker = undefined;
  };
}

/** Milliseconds by the server's clock, anew every second. */
export const useServerNow = (): number => useSyncExternalStore(subscribe, () => second) * 1_000;

const SOON_MS = 5 * 60_000;

/** What is left until a deadline. Not read out every second: the moment itself is in its title. */
export function Countdown({ until, overdue = false }: { until: string | null; overdue?: boolean }) {
  const now = useServerNow();
  if (until === null) return <span className="countdown">no deadline</span>;
  const left = Date.parse(until) - now;
  const late = overdue || left <= 0;
  return (
    <time dateTime={until} title={new Date(until).toLocaleString()} className="countdown" data-urgency={late ? 'late' : left < SOON_MS ? 'soon' : 'calm'}>
      {late ? `overdue ${left < 0 ? duration(-left) : ''}`.trim() : `${duration(left)} left`}
    </time>
  );
}

export function Age({ since }: { since: string }) {
  const now = useServerNow();
  return <time dateTime={since} title={new Date(since).toLocaleString()}>{duration(Math.max(0, now - Date.parse(since)))} old</time>;
}
