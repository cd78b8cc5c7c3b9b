import type { WhoAmI } from '@umpire/client';
import { Center, Loader } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useEffectEvent, useMemo, useState } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { client, codeOf } from './api.ts';
import { Drafts } from './drafts.ts';
import { InboxStore } from './inbox/inbox-store.ts';
import { Workplace } from './inbox/workplace.tsx';
import { isAdmin, SessionContext, type SignedIn } from './session.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { titleOf } from './words.ts';

// Operators' pages are fetched when somebody opens one.
const Stats = lazy(async () => ({ default: (await import('./operators/stats-page.tsx')).StatsPage }));
const Oversight = lazy(async () => ({ default: (await import('./operators/oversight-page.tsx')).OversightPage }));
const Webhooks = lazy(async () => ({ default: (await import('./operators/webhooks-page.tsx')).WebhooksPage }));
const Policies = lazy(async () => ({ default: (await import('./operators/policies-page.tsx')).PoliciesPage }));
const Rejected = lazy(async () => ({ default: (await import('./operators/rejected-page.tsx')).RejectedPage }));
const Access = lazy(async () => ({ default: (await import('./operators/access-page.tsx')).AccessPage }));
const TryIt = lazy(async () => ({ default: (await import('./operators/try-page.tsx')).TryPage }));

const waiting = (
  <Center p="xl">
    <Loader aria-label="Loading" />
  </Center>
);

export function App() {
  const queries = useQueryClient();
  const [ended, setEnded] = useState<string | null>(null);
  const session = useQuery({
    queryKey: ['session'],
    queryFn: async (): Promise<WhoAmI | null> => {
      try {
        return await client.session.who();
      } catch (error) {
        if (codeOf(error) === 'unauthenticated') return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: 3,
  });
  const enter = (who: WhoAmI) => {
    setEnded(null);
    queries.setQueryData(['session'], who);
  };
  const leave = (why: string | null) => {
    setEnded(why);
    queries.setQueryData(['session'], null);
    queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  };
  if (session.isPending) return waiting;
  if (session.isError) return <SignIn onEnter={enter} note="The server does not answer. Try again in a moment." />;
  if (session.data === null) return <SignIn onEnter={enter} note={ended} />;
  return <SignedInPages key={`${session.data.namespace}/${session.data.key_id}`} who={session.data} onLeave={leave} />;
}

function SignedInPages({ who, onLeave }: { who: WhoAmI; onLeave: (why: string | null) => void }) {
  const mine = useMemo(() => {
    const isPerson = who.user_id !== null && who.roles.includes('reviewer');
    return { inbox: isPerson ? new InboxStore(who.user_id!, titleOf) : null, drafts: isPerson ? new Drafts(who.namespace, who.user_id!) : null };
  }, [who]);
  const sessionEnded = useEffectEvent(() => onLeave('Your session has ended. Your drafts are kept on this device: sign in to go on.'));
  useEffect(() => {
    const { inbox } = mine;
    if (inbox === null) return undefined;
    inbox.start();
    const unsubscribe = inbox.subscribe(() => {
      if (inbox.snapshot().ended !== null) sessionEnded();
    });
    return () => {
      unsubscribe();
      inbox.close();
    };
  }, [mine]);
  const session: SignedIn = {
    who,
    ...mine,
    signOut: async () => {
      await client.session.signOut();
      onLeave(null);
    },
  };
  return (
    <SessionContext value={session}>
      <Shell>
        <Suspense fallback={waiting}>
          <Pages session={session} />
        </Suspense>
      </Shell>
    </SessionContext>
  );
}

function Pages({ session }: { session: SignedIn }) {
  if (!isAdmin(session.who)) {
    return (
      <Switch>
        <Route path="/e/:id">{({ id }) => <Workplace open={id} />}</Route>
        <Route path="/"><Workplace open={null} /></Route>
        <Route><Redirect to="/" /></Route>
      </Switch>
    );
  }
  return (
    <Switch>
      <Route path="/e/:id">{({ id }) => <Workplace open={id} />}</Route>
      <Route path="/">{session.inbox === null ? <Redirect to="/console/stats" /> : <Workplace open={null} />}</Route>
      <Route path="/console/stats"><Stats /></Route>
      <Route path="/console/oversight"><Oversight /></Route>
      <Route path="/console/webhooks"><Webhooks /></Route>
      <Route path="/console/policies"><Policies /></Route>
      <Route path="/console/rejected"><Rejected /></Route>
      <Route path="/console/access"><Access /></Route>
      <Route path="/console/try"><TryIt /></Route>
      <Route><Redirect to="/" /></Route>
    </Switch>
  );
}
