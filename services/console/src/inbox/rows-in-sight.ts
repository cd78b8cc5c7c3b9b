import { useCallback, useRef, useState, type RefObject } from 'react';

/** Rows beyond either edge that are there already when they come into sight. */
const BEYOND = 6;

type InSight = { from: number; to: number };

/**
 * Which of `count` rows of one height are in sight of a list that scrolls.
 * @returns `attach` for the list's `ref`, and `from` (inclusive) and `to` (exclusive)
 */
export function useRowsInSight(count: number, rowPx: number): { list: RefObject<HTMLDivElement | null>; attach: (list: HTMLDivElement | null) => (() => void) | undefined; from: number; to: number } {
  const list = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState<InSight>({ from: 0, to: 0 });
  const attach = useCallback((element: HTMLDivElement | null) => {
    list.current = element;
    if (element === null) return undefined;
    const look = () => {
      const from = Math.floor(element.scrollTop / rowPx);
      const to = Math.ceil((element.scrollTop + element.clientHeight) / rowPx);
      setSight((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    const size = new ResizeObserver(look);
    size.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      list.current = null;
      size.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [rowPx]);
  return { list, attach, from: Math.max(0, Math.min(sight.from, count) - BEYOND), to: Math.min(count, sight.to + BEYOND) };
}

/** Scrolls as little as it takes to have a row in sight. */
export function bringIntoSight(list: HTMLElement, at: number, rowPx: number): void {
  const top = at * rowPx;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + rowPx > list.scrollTop + list.clientHeight) list.scrollTop = top + rowPx - list.clientHeight;
}
