import type { EscalationItem } from '@umpire/client';
import { useEffect, useEffectEvent } from 'react';
import { decisionPath } from '../words.ts';

type Keys = {
  items: EscalationItem[];
  selected: string | null;
  openId: string | null;
  setCursor: (id: string) => void;
  navigate: (path: string) => void;
  focusSearch: () => void;
  showHelp: () => void;
};

/** Whether a key belongs to what has the focus: a text that is being written, an open menu. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (target === null) return false;
  const isText = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && !['radio', 'checkbox', 'button'].includes(target.type));
  return isText || target.isContentEditable || target.closest('[role="dialog"],[role="listbox"],[role="menu"]') !== null;
}

/** j / k move, Enter opens, Escape goes back, / searches, ? helps. */
export function useInboxKeys(keys: Keys): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const { items, selected, openId, setCursor, navigate, focusSearch, showHelp } = keys;
    if (event.key === 'Escape' && event.target instanceof HTMLElement && event.target.closest('.filters')) return event.target.blur();
    if (isTyping(event)) return;
    const at = items.findIndex((item) => item.request_id === selected);
    const move = (to: number) => {
      const item = items[Math.max(0, Math.min(items.length - 1, to))];
      if (item !== undefined) setCursor(item.request_id);
    };
    if (event.key === 'j') move(at + 1);
    else if (event.key === 'k') move(at < 0 ? 0 : at - 1);
    else if (event.key === 'Enter' && selected !== null && selected !== openId && !isControl(event.target)) navigate(decisionPath(selected));
    else if (event.key === 'Escape' && openId !== null) navigate('/');
    else if (event.key === '/') focusSearch();
    else if (event.key === '?') showHelp();
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

const isControl = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest('button,a,input,summary') !== null;
