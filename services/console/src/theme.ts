import { createTheme, type MantineColorSchemeManager } from '@mantine/core';

/** Touch targets of 44 px and no transitions, for a page that is worked in all day. */
export const theme = createTheme({
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'md' } },
    Modal: { defaultProps: { lockScroll: false, transitionProps: { duration: 0 } } },
    Menu: { defaultProps: { transitionProps: { duration: 0 } } },
    Select: { defaultProps: { size: 'md', comboboxProps: { transitionProps: { duration: 0 } } } },
    TextInput: { defaultProps: { size: 'md' } },
    PasswordInput: { defaultProps: { size: 'md' } },
    NumberInput: { defaultProps: { size: 'md' } },
    Textarea: { defaultProps: { size: 'md' } },
  },
});

/** Follows the system; a choice lasts as long as the page. Nothing but drafts is kept in the browser. */
export const inMemoryColorScheme: MantineColorSchemeManager = {
  get: (fallback) => fallback,
  set: () => undefined,
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  clear: () => undefined,
};
