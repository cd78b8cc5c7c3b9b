import { validateAgentDecision, type AgentDecision } from '@umpire/contract';

/** What the agents are asked about. */
export interface Task {
  readonly id: string;
  /** Handed to the agents as it is. */
  readonly input?: unknown;
  /** Copied into the result, where escalation rules can see it. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Names this evaluation; the same task evaluated again under the same id escalates under the same id. */
  readonly evaluationId?: string;
}

/** What an agent answers; its name, role and processing time are added. */
export type AgentAnswer = Omit<AgentDecision, 'agent_name' | 'processing_time_ms'>;

export interface Agent {
  readonly name: string;
  readonly roleType?: string;
  /** How long it may take, in milliseconds. */
  readonly deadlineMs?: number;
  /** The signal aborts at the deadline; what comes later is ignored. */
  readonly decide: (task: Task, signal: AbortSignal) => Promise<AgentAnswer>;
}

export interface AgentFailure {
  readonly agent_name: string;
  readonly kind: 'error' | 'timeout' | 'invalid';
  /** For the operator, cut at 500 characters; it never enters an escalation, since error texts may hold secrets. */
  readonly message: string;
}

export type AgentReply =
  | { readonly ok: true; readonly decision: AgentDecision }
  | { readonly ok: false; readonly failure: AgentFailure };

const LONGEST_MESSAGE = 500;

/** No answer of an agent can be equal to it. */
const LATE = Symbol('late');

/** Asks one agent and never rejects: a throw, a missed deadline and a malformed answer come back as a failure. */
export async function askAgent(agent: Agent, task: Task, options: { readonly deadlineMs: number; readonly now: () => number }): Promise<AgentReply> {
  const startedAt = options.now();
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), options.deadlineMs);
  });
  try {
    const answer = await Promise.race([startAgent(agent, task, abort.signal), late]);
    if (answer === LATE) {
      return failed(agent, 'timeout', `no decision within ${options.deadlineMs} ms`);
    }
    return checked(agent, answer, Math.max(0, Math.round(options.now() - startedAt)));
  } catch (error) {
    return failed(agent, 'error', error instanceof Error ? error.message : 'threw something that is no Error');
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Async, so that an agent that throws before its first await fails like any other. */
async function startAgent(agent: Agent, task: Task, signal: AbortSignal): Promise<AgentAnswer> {
  return agent.decide(task, signal);
}

function checked(agent: Agent, answer: AgentAnswer, elapsed: number): AgentReply {
  const decision: AgentDecision = {
    ...answer,
    agent_name: agent.name,
    ...(agent.roleType === undefined ? {} : { role_type: agent.roleType }),
    evidence: answer.evidence ?? [],
    processing_time_ms: elapsed,
  } as AgentDecision;
  const validation = validateAgentDecision(decision);
  if (!validation.ok) {
    return failed(agent, 'invalid', validation.errors.map((error) => `${error.path} ${error.message}`).join('; '));
  }
  return { ok: true, decision };
}

function failed(agent: Agent, kind: AgentFailure['kind'], message: string): AgentReply {
  return { ok: false, failure: { agent_name: agent.name, kind, message: message.slice(0, LONGEST_MESSAGE) } };
}
