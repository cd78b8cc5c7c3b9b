import '@mantine/core/styles.css';
import './styles.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { Mishap } from './mishap.tsx';
import { inMemoryColorScheme, theme } from './theme.ts';

// The client repeats what may be repeated, and refusals do not change by asking again.
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: true, staleTime: 2_000 } } });

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      {/* Style elements are against the page's policy: variables and classes come from the style sheet. */}
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={inMemoryColorScheme} withCssVariables={false} withGlobalClasses={false}>
        <Mishap>
          <App />
        </Mishap>
      </MantineProvider>
    </QueryClientProvider>
  </StrictMode>,
);
