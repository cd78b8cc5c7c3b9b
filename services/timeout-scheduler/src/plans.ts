/**
 * Settings of every connection that hold each statement to the plan that was measured: nested loops over the indexes. A plan made
 * while the tables were small would else stay in a prepared statement while they grow a hundredfold.
 */
export const PLANS = { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off', jit: 'off' };
