import type { WhoAmI } from '@umpire/client';
import { createContext, useContext } from 'react';
import type { Drafts } from './drafts.ts';
import type { InboxStore } from './inbox/inbox-store.ts';

/** Who is signed in, and what belongs to them. `inbox` and `drafts` of people only: an operator's key has no inbox. */
export type SignedIn = { who: WhoAmI; inbox: InboxStore | null; drafts: Drafts | null; signOut: () => Promise<void> };

export const SessionContext = createContext<SignedIn | null>(null);

/** @throws Error outside of a session: a page that needs one is only rendered in one */
export function useSession(): SignedIn {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('no session here');
  return session;
}

export const isAdmin = (who: WhoAmI): boolean => who.roles.includes('admin');
