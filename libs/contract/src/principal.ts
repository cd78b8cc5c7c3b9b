export const ROLES = ['producer', 'reviewer', 'admin'] as const;

/**
 * Who a credential stands for. `roles` holds the three above and any further role names a JWT or key carries (assignable in
 * `assignees.roles`). `user_id` is set for people only.
 */
export type Principal = {
  namespace: string;
  key_id: string;
  roles: string[];
  user_id: string | null;
  auth: 'api_key' | 'jwt' | 'session';
};
