import { Body, Controller, Get, HttpException, Module, Param, Post } from '@nestjs/common';
import { UmpireError, type Principal } from '@umpire/contract';
import { z } from 'zod';
import { Allow, Caller, GuardedController } from '../http/auth.ts';

const body = z.object({ count: z.int().min(1), name: z.string() });

/** Controllers for the tests of the HTTP frame: decorators need a compiled file of their own. */
@GuardedController('things')
export class ThingsController {
  @Get('open')
  @Allow('public')
  open() {
    return { ok: true };
  }

  @Get('forgotten')
  forgotten() {
    return { ok: true };
  }

  @Get('mine/:id')
  @Allow('reviewer')
  mine(@Caller() caller: Principal, @Param('id') id: string) {
    return { user: caller.user_id, id };
  }

  @Post()
  @Allow('admin')
  create(@Body({ schema: body }) input: z.infer<typeof body>) {
    if (input.name === 'taken') throw new UmpireError('conflict', 'the name is taken', { extra: { name: input.name } });
    if (input.name === 'nest') throw new HttpException('odd', 404);
    if (input.name === 'fault') throw new Error('a secret detail of ours');
    return input;
  }
}

@Controller('bare')
export class BareController {
  @Get()
  bare() {
    return {};
  }
}

@Module({})
export class TestModule {}
