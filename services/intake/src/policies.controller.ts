import { Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { Allow, Caller, GuardedController } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PolicyAdmin } from './policy-admin.service.ts';
import { PolicyReplay } from './policy-replay.service.ts';
import { PolicySimulation } from './policy-simulation.service.ts';
import { readPolicyText } from './policy-text.ts';

const limit = z.coerce.number().int().min(1).max(200).default(100);
const listQuery = z.object({ limit, after: z.string().max(64).default('') });
const versionNumber = z.coerce.number().int().min(1).max(2_147_483_646);
const versionsQuery = z.object({ limit, after: versionNumber.optional() });
const applyQuery = z.object({ dry_run: z.enum(['true', 'false']).default('false').transform((text) => text === 'true') });

const replayQuery = z.strictObject({
  since: z.iso.datetime({ offset: true }).transform(utc), until: z.iso.datetime({ offset: true }).transform(utc).optional(), after: z.string().max(4_096).optional(), limit: z.coerce.number().int().min(1).max(200).default(200),
});

type WithBody = FastifyRequest & { rawBody?: Buffer };

/** Policies of the caller's namespace. */
@GuardedController('policies')
export class PoliciesController {
  private readonly admin: PolicyAdmin;
  private readonly simulation: PolicySimulation;
  private readonly trial: PolicyReplay;

  constructor(@Inject(PolicyAdmin) admin: PolicyAdmin, @Inject(PolicySimulation) simulation: PolicySimulation, @Inject(PolicyReplay) trial: PolicyReplay) {
    this.admin = admin;
    this.simulation = simulation;
    this.trial = trial;
  }

  /** JSON, or YAML by its content type: 201 for a new version, 200 if it is in force already; with `dry_run` what it would be. */
  @Post()
  @Allow('admin')
  async apply(@Caller() caller: Principal, @Req() request: WithBody, @Query({ schema: applyQuery }) query: z.infer<typeof applyQuery>, @Res({ passthrough: true }) reply: FastifyReply) {
    const value = readPolicyText(bodyOf(request), request.headers['content-type']);
    if (query.dry_run) {
      void reply.status(200);
      return this.admin.check(caller, value);
    }
    const { policy, created } = await this.admin.apply(caller, value);
    void reply.status(created ? 201 : 200);
    return policy;
  }

  /** Which policy would take the message in the body, and why. */
  @Post('simulate')
  @HttpCode(200)
  @Allow('admin')
  simulate(@Caller() caller: Principal, @Req() request: WithBody) {
    return this.simulation.simulate(caller, bodyOf(request));
  }

  /** What the policy in the body would have changed of what was opened since then, a page at a time. Nothing is put in force. */
  @Post('replay')
  @HttpCode(200)
  @Allow('admin')
  replay(@Caller() caller: Principal, @Req() request: WithBody, @Query({ schema: replayQuery }) query: z.infer<typeof replayQuery>) {
    return this.trial.page(caller, readPolicyText(bodyOf(request), request.headers['content-type']), query);
  }

  @Get()
  @Allow('admin')
  list(@Caller() caller: Principal, @Query({ schema: listQuery }) query: z.infer<typeof listQuery>) {
    return this.admin.list(caller.namespace, query.after, query.limit);
  }

  @Get(':id')
  @Allow('admin')
  get(@Caller() caller: Principal, @Param('id') id: string) {
    return this.admin.get(caller.namespace, id);
  }

  @Get(':id/versions')
  @Allow('admin')
  versions(@Caller() caller: Principal, @Param('id') id: string, @Query({ schema: versionsQuery }) query: z.infer<typeof versionsQuery>) {
    return this.admin.versions(caller.namespace, id, query.after, query.limit);
  }

  @Get(':id/versions/:version')
  @Allow('admin')
  version(@Caller() caller: Principal, @Param('id') id: string, @Param('version', { schema: versionNumber }) version: number) {
    return this.admin.version(caller.namespace, id, version);
  }

  @Post(':id/versions/:version/activate')
  @HttpCode(200)
  @Allow('admin')
  activate(@Caller() caller: Principal, @Param('id') id: string, @Param('version', { schema: versionNumber }) version: number) {
    return this.admin.activate(caller, id, version);
  }

  @Post(':id/enable')
  @HttpCode(200)
  @Allow('admin')
  enable(@Caller() caller: Principal, @Param('id') id: string) {
    return this.admin.enable(caller, id, true);
  }

  @Post(':id/disable')
  @HttpCode(200)
  @Allow('admin')
  disable(@Caller() caller: Principal, @Param('id') id: string) {
    return this.admin.enable(caller, id, false);
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('admin')
  remove(@Caller() caller: Principal, @Param('id') id: string) {
    return this.admin.remove(caller, id);
  }
}

function utc(text: string): string {
  return new Date(text).toISOString();
}

function bodyOf(request: WithBody): Buffer {
  if (request.rawBody === undefined || request.rawBody.length === 0) throw new UmpireError('bad_request', 'the body is empty');
  return request.rawBody;
}
