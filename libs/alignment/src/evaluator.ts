import {
  buildHitlRequest,
  type AgentDecision,
  type AlignmentSummary,
  type AlignmentThresholds,
  type EvaluationResult,
  type HITLEscalationReason,
  type HITLRequest,
} from '@umpire/contract';
import { askAgent, type Agent, type AgentFailure, type Task } from './agent.ts';
import type { DecisionSchema } from './decision-schema.ts';
import { AlignmentEngine } from './engine.ts';
import { AlignmentError } from './errors.ts';
import { matchRules, type EscalationRule, type MatchedRule } from './escalation-rules.ts';
import { evaluateDecisions } from './evaluate.ts';

export type EvaluatorEvent =
  | { readonly type: 'evaluation_started'; readonly task_id: string; readonly evaluation_id: string; readonly agents: readonly string[] }
  | { readonly type: 'agent_decided'; readonly task_id: string; readonly decision: AgentDecision }
  | { readonly type: 'agent_failed'; readonly task_id: string; readonly failure: AgentFailure }
  | { readonly type: 'alignment_analyzed'; readonly task_id: string; readonly summary: AlignmentSummary }
  | { readonly type: 'rule_matched'; readonly task_id: string; readonly rule: MatchedRule }
  | { readonly type: 'review_required'; readonly task_id: string; readonly reason: string }
  | { readonly type: 'evaluation_completed'; readonly task_id: string; readonly evaluation: Evaluation };

export interface EvaluatorOptions {
  readonly agents: readonly Agent[];
  readonly schema: DecisionSchema;
  readonly thresholds?: Partial<AlignmentThresholds>;
  /** Milliseconds since the epoch; measures processing times. */
  readonly now: () => number;
  /** Off: `createHitlRequest` always answers null. On unless told. */
  readonly enableHitl?: boolean;
  readonly rules?: readonly EscalationRule[];
  /** What an agent without a deadline of its own gets; 30 seconds unless told. */
  readonly agentDeadlineMs?: number;
  /** Told of every step, in order. What it throws is dropped: an observer cannot change an evaluation. */
  readonly onEvent?: (event: EvaluatorEvent) => void;
  /** Makes the id of an evaluation whose task names none; random UUIDs unless told. */
  readonly newId?: () => string;
}

export type Evaluation =
  | {
      readonly ok: true;
      readonly result: EvaluationResult;
      /** The rules that asked for a human. */
      readonly rules: readonly MatchedRule[];
      readonly failures: readonly AgentFailure[];
    }
  /** Fewer than two agents came to a decision that the schema allows. */
  | { readonly ok: false; readonly code: AlignmentError['code']; readonly decisions: readonly AgentDecision[]; readonly failures: readonly AgentFailure[] };

const DEFAULT_DEADLINE_MS = 30_000;

/** Asks several agents about a task at once and judges their decisions. */
export class MultiAgentEvaluator {
  private readonly options: EvaluatorOptions;
  private readonly engine: AlignmentEngine;

  /** @throws AlignmentError `duplicate_agent` when two agents share a name, `invalid_thresholds`. */
  constructor(options: EvaluatorOptions) {
    const names = options.agents.map((agent) => agent.name);
    if (new Set(names).size !== names.length) {
      throw new AlignmentError('duplicate_agent', 'agents need names of their own');
    }
    this.options = options;
    this.engine = new AlignmentEngine(options.thresholds);
  }

  /**
   * Asks all agents, each until its deadline. One that throws, is late or answers nonsense is reported and left out.
   * Decisions stand in the order of the agents, not of their answers, so equal answers give equal results.
   */
  async evaluate(task: Task): Promise<Evaluation> {
    const { agents, schema, now, agentDeadlineMs = DEFAULT_DEADLINE_MS } = this.options;
    const evaluationId = task.evaluationId ?? (this.options.newId ?? randomId)();
    const startedAt = now();
    this.emit({ type: 'evaluation_started', task_id: task.id, evaluation_id: evaluationId, agents: agents.map((agent) => agent.name) });
    const answers = await Promise.all(
      agents.map(async (agent) => {
        const answer = await askAgent(agent, task, { deadlineMs: agent.deadlineMs ?? agentDeadlineMs, schema, now });
        this.emit(
          answer.ok
            ? { type: 'agent_decided', task_id: task.id, decision: answer.decision }
            : { type: 'agent_failed', task_id: task.id, failure: answer.failure },
        );
        return answer;
      }),
    );
    const evaluation = this.conclude(task, evaluationId, {
      decisions: answers.flatMap((answer) => (answer.ok ? [answer.decision] : [])),
      failures: answers.flatMap((answer) => (answer.ok ? [] : [answer.failure])),
      processingTimeMs: Math.max(0, Math.round(now() - startedAt)),
    });
    this.emit({ type: 'evaluation_completed', task_id: task.id, evaluation });
    return evaluation;
  }

  /**
   * The escalation of an evaluation. The engine's own reason goes before one that a rule named.
   *
   * @param options.createdAt ISO 8601.
   * @returns null when no human is needed, when there is no result, or when HITL is off.
   */
  createHitlRequest(evaluation: Evaluation, options: { readonly createdAt: string }): HITLRequest | null {
    if (this.options.enableHitl === false || !evaluation.ok) {
      return null;
    }
    const { result } = evaluation;
    const reason = reasonOf(evaluation);
    return buildHitlRequest(result, result.alignment_summary, { createdAt: options.createdAt, ...(reason === null ? {} : { reason }) });
  }

  private conclude(
    task: Task,
    evaluationId: string,
    asked: { readonly decisions: readonly AgentDecision[]; readonly failures: readonly AgentFailure[]; readonly processingTimeMs: number },
  ): Evaluation {
    const { decisions, failures, processingTimeMs } = asked;
    let result: EvaluationResult;
    try {
      result = evaluateDecisions(this.engine, { taskId: task.id, decisions, schema: this.options.schema, evaluationId, processingTimeMs, metadata: task.metadata });
    } catch (error) {
      if (error instanceof AlignmentError) {
        return { ok: false, code: error.code, decisions, failures };
      }
      throw error;
    }
    this.emit({ type: 'alignment_analyzed', task_id: task.id, summary: result.alignment_summary });
    const rules = matchRules(this.options.rules ?? [], result);
    for (const rule of rules) {
      this.emit({ type: 'rule_matched', task_id: task.id, rule });
    }
    const reviewed = rules.length === 0 ? result : askedByRules(result, rules);
    if (reviewed.requires_human_review) {
      this.emit({ type: 'review_required', task_id: task.id, reason: reviewed.review_reason ?? '' });
    }
    return { ok: true, result: reviewed, rules, failures };
  }

  private emit(event: EvaluatorEvent): void {
    try {
      this.options.onEvent?.(event);
    } catch {
      // See EvaluatorOptions.onEvent.
    }
  }
}

function askedByRules(result: EvaluationResult, rules: readonly MatchedRule[]): EvaluationResult {
  const names = rules.map((rule) => rule.name).join(', ');
  return { ...result, requires_human_review: true, review_reason: result.review_reason ?? `An escalation rule asks for a human: ${names}.` };
}

/** The reason named by the first rule that names one, unless the engine has a reason of its own. */
function reasonOf(evaluation: Extract<Evaluation, { ok: true }>): HITLEscalationReason | null {
  if (evaluation.result.alignment_summary.state === 'hard_disagreement') {
    return null;
  }
  return evaluation.rules.find((rule) => rule.reason !== null)?.reason ?? null;
}

function randomId(): string {
  return globalThis.crypto.randomUUID();
}
