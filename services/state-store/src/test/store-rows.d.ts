import type { Sql } from '@umpire/runtime';
/**
 * Fills the store by SQL with what submissions and answers would have left: `count` escalations of a namespace, opened a second apart,
 * six of ten settled, everything else by chance but the same each time. All are assigned to the role `reviewer`, one in 500 to user
 * `rare`, one in three to user `busy`, one in 40 to role `senior`. Summaries hold the words `common`, `w<n mod 1000>` and `n<n>`; every
 * tenth row has a task id of its own, and one in five a policy, `policy-0` to `policy-19`.
 */
export declare function fillStore(sql: Sql, namespace: string, count: number): Promise<void>;
