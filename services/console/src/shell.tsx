import { Button, Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { isAdmin, useSession } from './session.tsx';

const OPERATORS = [
  { path: '/console/stats', label: 'Statistics' },
  { path: '/console/oversight', label: 'Oversight' },
  { path: '/console/webhooks', label: 'Webhooks' },
  { path: '/console/policies', label: 'Policies' },
  { path: '/console/rejected', label: 'Rejected' },
  { path: '/console/access', label: 'Keys and groups' },
  { path: '/console/try', label: 'Try it' },
];

export function Shell({ children }: { children: ReactNode }) {
  const { who, inbox } = useSession();
  const links = [...(inbox === null ? [] : [{ path: '/', label: 'Inbox' }]), ...(isAdmin(who) ? OPERATORS : [])];
  return (
    <div className="shell">
      <a className="skip" href="#content">Skip to content</a>
      <header className="top">
        <Link href="/" className="brand">Umpire</Link>
        <Navigation links={links} />
        <AccountMenu />
      </header>
      <main id="content" className="content" tabIndex={-1}>{children}</main>
    </div>
  );
}

/** Where the pages do not all fit, the one that is open is in sight. */
const bringIntoSight = (link: HTMLAnchorElement | null): void => void link?.scrollIntoView({ block: 'nearest', inline: 'center' });

function Navigation({ links }: { links: { path: string; label: string }[] }) {
  const [location] = useLocation();
  const isHere = (path: string) => (path === '/' ? location === '/' || location.startsWith('/e/') : location === path);
  return (
    <nav aria-label="Pages" className="pages">
      {links.map(({ path, label }) => (
        <Link key={path} href={path} className="page-link" {...(isHere(path) ? { 'aria-current': 'page', ref: bringIntoSight } : {})}>{label}</Link>
      ))}
    </nav>
  );
}

function AccountMenu() {
  const { who, signOut } = useSession();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  return (
    <Menu position="bottom-end" withinPortal={false}>
      <Menu.Target>
        <Button variant="subtle" color="gray" className="account">{who.user_id ?? 'Administrator'}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{who.namespace} · {who.roles.join(', ')}</Menu.Label>
        <Menu.Item onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>{scheme === 'dark' ? 'Light' : 'Dark'} colours</Menu.Item>
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
