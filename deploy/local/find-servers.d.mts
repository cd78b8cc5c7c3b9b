import type { Steps } from './steps.mjs';

export type FoundProgram = { command: string; env: Record<string, string> };

/** Where the servers' programs are, brought if need be; `external` names those that are not wanted. */
export function findServers(steps: Steps, options?: { external?: { nats?: boolean; redis?: boolean; postgres?: boolean } }): Promise<{ nats?: FoundProgram; redis?: FoundProgram; postgres?: { bin: string; env: Record<string, string> } }>;
