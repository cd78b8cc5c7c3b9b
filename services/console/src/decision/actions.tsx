import type { EscalationItem } from '@umpire/client';
import { Button, Menu } from '@mantine/core';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { isTyping } from '../inbox/keys.ts';
import { isAdmin, useSession } from '../session.tsx';
import { ActionDialog, type Action } from './action-dialog.tsx';

type Offer = { action: Action; label: string; danger?: boolean };

/** What the signed-in person may try: the server says whether it may be done. */
function offersOf(item: EscalationItem, isPerson: boolean, admin: boolean): Offer[] {
  const offers: (Offer | false)[] = [
    isPerson && { action: 'delegate', label: 'Let somebody answer for me…' },
    { action: 'reassign', label: admin ? 'Ask other people instead…' : 'Give my place to somebody…' },
    { action: 'raise', label: 'Raise: ask more people…' },
    isPerson && { action: 'snooze', label: 'Remind me later…' },
    admin && { action: 'cancel', label: 'Cancel it…', danger: true },
  ];
  return item.status === 'pending' ? offers.filter((offer): offer is Offer => offer !== false) : [];
}

/** Everything that can be done with a question but answering it. `a` opens it. */
export function Actions({ item }: { item: EscalationItem }) {
  const { who, inbox } = useSession();
  const [opened, setOpened] = useState(false);
  const [action, setAction] = useState<Action | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.key !== 'a' || isTyping(event) || action !== null) return;
    event.preventDefault();
    // Its place may be out of sight: a menu is shown only where its button is.
    button.current?.focus();
    setOpened(true);
  });
  useEffect(() => {
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  // Mantine's own trap moves the focus in timers, twice, and what is typed meanwhile is lost: here it is on the first item before the next key is read.
  useEffect(() => {
    if (opened) menu.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
  }, [opened]);
  const close = () => {
    setAction(null);
    button.current?.focus();
  };
  const offers = offersOf(item, inbox !== null, isAdmin(who));
  if (offers.length === 0) return null;
  return (
    <>
      <Menu position="bottom-start" withinPortal={false} trapFocus={false} opened={opened} onChange={setOpened}>
        <Menu.Target><Button ref={button} variant="default">More…</Button></Menu.Target>
        <Menu.Dropdown ref={menu} onKeyDown={(event) => event.key === 'Tab' && setOpened(false)}>
          {offers.map(({ action: one, label, danger }) => <Menu.Item key={one} {...(danger === true ? { className: 'danger' } : {})} onClick={() => setAction(one)}>{label}</Menu.Item>)}
        </Menu.Dropdown>
      </Menu>
      {action !== null && <ActionDialog action={action} item={item} onClose={close} />}
    </>
  );
}
