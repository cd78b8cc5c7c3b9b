import { Get, Inject, Param, Req, Res } from '@nestjs/common';
import { UmpireError } from '@umpire/contract';
import { Allow, GuardedController } from '@umpire/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConsoleFiles, type ConsoleFile } from './console-files.ts';

/** What the page may do: scripts, styles and connections of this origin, and nothing inline. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "object-src 'none'", "require-trusted-types-for 'script'",
].join('; ');

/**
 * The console: the built page under `/`, `/e/<id>` (a decision) and `/console/…` (operators), its files under `/assets`. It holds no
 * secret, so anybody may load it; all that it shows comes from routes that ask for a session.
 */
@GuardedController()
@Allow('public')
export class ConsoleController {
  private readonly files: ConsoleFiles;

  constructor(@Inject(ConsoleFiles) files: ConsoleFiles) {
    this.files = files;
  }

  @Get()
  home(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.page(request, reply);
  }

  @Get('e/:id')
  decision(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.page(request, reply);
  }

  @Get('console/:page')
  operators(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.page(request, reply);
  }

  /** Names carry a hash of the content: they never change. */
  @Get('assets/:file')
  asset(@Param('file') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const file = this.files.find(`assets/${name}`);
    if (!file) throw new UmpireError('not_found', 'no such file');
    void reply.header('cache-control', 'public, max-age=31536000, immutable');
    send(file, request, reply);
  }

  private page(request: FastifyRequest, reply: FastifyReply): void {
    const file = this.files.find('index.html');
    if (!file) throw new UmpireError('not_found', 'the console is not part of this installation');
    void reply.header('cache-control', 'no-cache').header('content-security-policy', POLICY).header('referrer-policy', 'no-referrer').header('x-frame-options', 'DENY')
      .header('permissions-policy', 'camera=(), microphone=(), geolocation=()').header('cross-origin-opener-policy', 'same-origin');
    send(file, request, reply);
  }
}

function send(file: ConsoleFile, request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('etag', file.etag).header('vary', 'accept-encoding').header('x-content-type-options', 'nosniff').header('content-type', file.type);
  if (request.headers['if-none-match'] === file.etag) return void reply.code(304).send();
  const zipped = file.gzip !== null && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (zipped) void reply.header('content-encoding', 'gzip');
  void reply.send(zipped ? file.gzip : file.body);
}
