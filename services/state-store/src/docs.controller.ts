import { Get, Header, Param, Res } from '@nestjs/common';
import { asyncApiDocument, UmpireError } from '@umpire/contract';
import { Allow, GuardedController } from '@umpire/runtime';
import type { FastifyReply } from 'fastify';
import { docsFile, openApiText, referencePage } from './docs-files.ts';
import { natsPage } from './docs-nats-page.ts';

/** Scripts of this origin only. The reference's own components style themselves, so styles may stand in the page. */
const REFERENCE_POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');
const PLAIN_POLICY = ["default-src 'none'", "style-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ');
const HTML = 'text/html; charset=utf-8';

/** The reference: OpenAPI of all services, and AsyncAPI of what travels over NATS. Open to everybody; nothing is loaded from elsewhere. */
@GuardedController()
@Allow('public')
export class DocsController {
  @Get('openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  openApi(): string {
    return openApiText();
  }

  @Get('docs')
  reference(@Res() reply: FastifyReply): void {
    send(reply, HTML, referencePage(), REFERENCE_POLICY);
  }

  @Get('docs/nats')
  nats(@Res() reply: FastifyReply): void {
    send(reply, HTML, natsPage(asyncApiDocument()), PLAIN_POLICY);
  }

  @Get('docs/files/:file')
  file(@Param('file') name: string, @Res() reply: FastifyReply): void {
    const file = docsFile(name);
    if (!file) throw new UmpireError('not_found', 'no such file');
    send(reply, file.type, file.body, PLAIN_POLICY);
  }
}

function send(reply: FastifyReply, type: string, body: string | Buffer, policy: string): void {
  void reply.header('content-type', type).header('content-security-policy', policy).header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache').send(body);
}
