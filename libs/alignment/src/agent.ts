import { validateAgentDecision, type AgentDecision } from '@umpire/contract';
import { fitsSchema, type DecisionSchema } from './decision-schema.ts';

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
export interface AgentAnswer {
  /** Any JSON value that fits the schema; a node of `readJson` keeps its number text. */
  readonly decision_value: {} | null;
  /** From 0 to 1. */
  readonly confidence: number;
  readonly rationale: string;
  readonly evidence?: string[];
  readonly metadata?: Record<string, unknown>;
}

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

export interface AskOptions {
  readonly deadlineMs: number;
  /** What the decision has to fit. */
  readonly schema: DecisionSchema;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Asks one agent and never rejects: a throw, a missed deadline and a malformed answer come back as a failure. */
export async function askAgent(agent: Agent, task: Task, options: AskOptions): Promise<AgentReply> {
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
    return checked(agent, answer, options.schema, Math.max(0, Math.round(options.now() - startedAt)));
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

function checked(agent: Agent, answer: AgentAnswer, schema: DecisionSchema, elapsed: number): AgentReply {
  const role = agent.roleType === undefined ? {} : { role_type: agent.roleType };
  const decision: AgentDecision = { evidence: [], ...answer, agent_name: agent.name, ...role, processing_time_ms: elapsed };
  const validation = validateAgentDecision(decision);
  if (!validation.ok) {
    return failed(agent, 'invalid', validation.errors.map((error) => `${error.path} ${error.message}`).join('; '));
  }
  if (!fitsSchema(decision.decision_value, schema)) {
    return failed(agent, 'invalid', `decision_value is no ${schema.type} decision of this schema`);
  }
  return { ok: true, decision };
}

function failed(agent: Agent, kind: AgentFailure['kind'], message: string): AgentReply {
  return { ok: false, failure: { agent_name: agent.name, kind, message: message.slice(0, LONGEST_MESSAGE) } };
}
