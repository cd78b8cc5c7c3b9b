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
  /** Who has delegated to this person for now, and the roles that reach. Absent: nobody. */
  acts_for?: Delegator[];
};

/** Someone whose items another may see and decide while a delegation is in force. */
export type Delegator = { user_id: string; roles: string[] };
